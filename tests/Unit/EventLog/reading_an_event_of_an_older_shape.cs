using System.Text.Json;
using Signup.EventLog;
using Signup.EventLog.Accounts;

namespace Signup.Tests.Unit.EventLog;

public sealed class reading_an_event_of_an_older_shape
{
    private const string First = """{"email":"zoe@example.org","username":"Zoë","createdAt":"2026-11-23T10:00:00+00:00","passwordHash":"x"}""";
    private const string Present = """{"email":"zoe@example.org","username":"Zoë","createdAt":"2026-11-23T10:00:00+00:00","passwordHash":"x","language":"de"}""";

    [Fact]
    public void needs_an_upcast() => Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<AccountCreated>(First, LogJson.Options));

    [Fact]
    public void of_accounts_without_a_language_gives_them_english() =>
        Assert.Equal(new AccountCreated("Zoë", "zoe@example.org", "x", "en", new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero)),
            JsonSerializer.Deserialize<AccountCreated>(Upcasting.Apply("AccountCreated", First), LogJson.Options));

    [Fact]
    public void leaves_the_present_shape_alone() => Assert.Same(Present, Upcasting.Apply("AccountCreated", Present));

    [Fact]
    public void leaves_other_kinds_alone() => Assert.Equal("{}", Upcasting.Apply("AccountActivated", "{}"));
}
