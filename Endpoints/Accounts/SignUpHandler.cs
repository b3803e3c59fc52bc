using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;
using AccountCreated = Signup.EventLog.Accounts.AccountCreated;

namespace Signup.Accounts;

/// <summary>Someone wants an account. It needs an address that nobody has, so the event is proposed to Uniqueness, which answers the asker.</summary>
public static class SignUpHandler
{
    public static (ProposeEvent?, Verdict?) Handle(SignUp command)
    {
        if (!IsValid(command))
            return Propose.Nothing(command.AccountId, VerdictOutcome.Invalid);

        var created = new AccountCreated(command.Username.Trim(), command.Email.Trim(), command.PasswordHash, command.Language, command.RequestedAt);
        return (Propose.Event(command.AccountId, ProposalId.OfSignUp(command.AccountId, command.Username, command.Email, command.PasswordHash), expectedVersion: 0, created, command.Once), null);
    }

    /// <summary>The gateway has said it in the user's words; this is for whoever sends commands without a gateway.</summary>
    internal static bool IsValid(SignUp command) =>
        command.AccountId != Guid.Empty
        && IsUsername(command.Username)
        && IsText(command.Email, Limits.Email)
        && PasswordHash.IsOne(command.PasswordHash)
        && IsText(command.Language, Limits.Language);

    internal static bool IsUsername(string? text) => IsText(text, most: 2 * Limits.Username) && text!.Trim().EnumerateRunes().Count() <= Limits.Username;

    /// <param name="most">In characters.</param>
    private static bool IsText(string? text, int most) => !string.IsNullOrWhiteSpace(text) && text.Trim().Length <= most && PlainText.IsPlain(text);
}
