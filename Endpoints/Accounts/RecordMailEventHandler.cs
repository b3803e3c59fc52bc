using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Handling;
using Signup.Messages.Mail;
using MailBounced = Signup.EventLog.Accounts.MailBounced;
using MailComplained = Signup.EventLog.Accounts.MailComplained;
using MailDelivered = Signup.EventLog.Accounts.MailDelivered;

namespace Signup.Accounts;

/// <summary>The mail provider has told what became of a mail. Providers say it late, twice, in any order, and of mails that are none of ours.</summary>
public static class RecordMailEventHandler
{
    /// <summary>Class of reason of a bounce of which no more is known.</summary>
    public const string Unspecified = "bounced";

    public static async Task<MailHistory> LoadAsync(RecordMailEvent command, LogReader log, CancellationToken cancellation) =>
        new(await log.ReadStreamAsync(command.AccountId, cancellation));

    public static Append? Handle(RecordMailEvent command, MailHistory history) => history.IsOfAccount && FactOf(command) is { } fact && !history.Holds(fact)
        ? new Append(command.AccountId, history.Events.Count, fact)
        : null;

    private static object? FactOf(RecordMailEvent command) => command.Event switch
    {
        _ when !MailPurpose.TryRead(MailPurpose.NameOf(command.Purpose, command.AccountId), out _, out _) => null,
        MailEvent.Delivered => new MailDelivered(command.Purpose, command.At),
        // A text would hold an address, sooner or later.
        MailEvent.Bounced => new MailBounced(command.Purpose, MailPurpose.IsClassOfReasons(command.Reason) ? command.Reason : Unspecified, command.At),
        MailEvent.Complained => new MailComplained(command.Purpose, command.At),
        _ => null,
    };
}

/// <summary>All that happened to one account.</summary>
public sealed record MailHistory(IReadOnlyList<object> Events)
{
    public bool IsOfAccount => Events is [AccountCreated, ..];

    /// <summary>Whether the same is known of the same mail.</summary>
    public bool Holds(object fact) => Events.Any(e => e.GetType() == fact.GetType() && PurposeOf(e) == PurposeOf(fact));

    private static string? PurposeOf(object e) => e switch
    {
        MailDelivered mail => mail.Purpose,
        MailBounced mail => mail.Purpose,
        MailComplained mail => mail.Purpose,
        _ => null,
    };
}
