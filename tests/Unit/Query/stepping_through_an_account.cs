using System.Text.Json;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Query.Inspection;

namespace Signup.Tests.Unit.Query;

public sealed class stepping_through_an_account
{
    private static readonly DateTimeOffset T = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public void shows_what_each_event_changed_and_the_state_after_it()
    {
        var steps = Step.Of(Log(new AccountCreated("Zoë", "z@example.org", "$secret", "en", T), new ActivationMailSent("activation", T), new AccountActivated(T))).ToList();

        Assert.Contains(new Change("username", null, "Zoë"), steps[0].Changes);
        Assert.Contains(new Change("mail.state", null, "queued"), steps[0].Changes);
        Assert.Equal([new("mail.state", "queued", "sent"), new("mail.count", "0", "1"), new("mail.purpose", null, "activation"), new("mail.sentAt", null, "2026-11-23T10:00:00+00:00")], steps[1].Changes);
        Assert.Equal([new("status", "pending", "active"), new("activatedAt", null, "2026-11-23T10:00:00+00:00")], steps[2].Changes);
        Assert.Equal(["pending", "pending", "active"], steps.Select(s => s.State!["status"]!.ToString()));
        Assert.DoesNotContain("secret", string.Join('\n', steps.Select(s => $"{s.State} {string.Join(' ', s.Changes)}")), StringComparison.Ordinal);
    }

    [Fact]
    public void shows_that_something_went_away()
    {
        var steps = Step.Of(Log(new AccountCreated("Zoë", "z@example.org", "", "en", T), new ActivationMailFailed("activation", "mailbox-unavailable", T), new ActivationMailSent("resend-1", T))).ToList();
        Assert.Contains(new Change("mail.reason", "mailbox-unavailable", null), steps[2].Changes);
    }

    [Fact]
    public void shows_nothing_for_an_event_that_changed_nothing() =>
        Assert.Empty(Step.Of([.. Log(new AccountCreated("Zoë", "z@example.org", "", "en", T)), new LoggedEvent(9, Guid.Empty, 2, Guid.NewGuid(), "SomethingNew", "{}", T)]).Last().Changes);

    private static List<LoggedEvent> Log(params object[] events) =>
        [.. events.Select((e, i) => new LoggedEvent(1 + i, Guid.Empty, i + 1, Guid.NewGuid(), EventTypes.Of(e).Name, JsonSerializer.Serialize(e, e.GetType(), LogJson.Options), T))];
}
