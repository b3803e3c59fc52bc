using System.Text.Json;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.EventLog.Operations;
using Signup.Query.Commands;

namespace Signup.Tests.Unit.Query;

public sealed class disclosing_an_event
{
    private static readonly byte[] Key = new byte[32];
    private static readonly AccountCreated Created = new("Zoë", "Zoe@Example.org", "$argon2id$secret", "en", DateTimeOffset.UnixEpoch);

    [Fact]
    public void leaves_secrets_empty_so_that_it_can_still_be_read()
    {
        var read = Disclose(Created, Disclosure.WithoutSecrets).Deserialize<AccountCreated>(LogJson.Options);
        Assert.Equal(Created with { PasswordHash = "" }, read);
    }

    [Fact]
    public void gives_everything_to_who_asks_for_it() => Assert.Equal(Created, Disclose(Created, Disclosure.Everything).Deserialize<AccountCreated>(LogJson.Options));

    [Fact]
    public void anonymously_names_nobody_but_keeps_who_is_the_same()
    {
        var first = Disclose(Created, Disclosure.Anonymous);
        var changed = Disclose(new EmailChanged(" zoe@EXAMPLE.org", "other@example.org", DateTimeOffset.UnixEpoch), Disclosure.Anonymous);
        Assert.DoesNotContain("zo", first.ToJsonString(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("secret", first.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(first["email"]!.ToString(), changed["oldEmail"]!.ToString());
        Assert.NotEqual(first["email"]!.ToString(), changed["newEmail"]!.ToString());
        Assert.Equal("en", first["language"]!.ToString());
    }

    [Fact]
    public void anonymously_names_nobody_by_a_name_that_was_changed_either()
    {
        var changed = Disclose(new UsernameChanged("Zoë", "Countess", DateTimeOffset.UnixEpoch), Disclosure.Anonymous);
        Assert.Equal(Disclose(Created, Disclosure.Anonymous)["username"]!.ToString(), changed["oldUsername"]!.ToString());
        Assert.DoesNotContain("Countess", changed.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public void anonymously_names_no_operator_and_nothing_that_they_or_another_system_have_written()
    {
        var discarded = Disclose(new MessageDiscarded(Guid.NewGuid(), Guid.NewGuid(), "SignUp", "accounts", "olga", "spam of zoe@example.org", DateTimeOffset.UnixEpoch), Disclosure.Anonymous);
        var id = Guid.NewGuid().ToString();
        var led = Export.Metadata(new Cause(id, "order of Zoe", id, "00-trace-span-01", "operator:olga").Headers, Disclosure.Anonymous, Key)!;

        Assert.Equal(("", "accounts"), (discarded["reason"]!.ToString(), discarded["queue"]!.ToString()));
        Assert.Equal((id, id, "00-trace-span-01"), (led["cause"]!.ToString(), led["correlation"]!.ToString(), led["traceparent"]!.ToString()));
        Assert.Equal($"operator:{discarded["by"]}", led["actor"]!.ToString());
        // No letters that an id may hold, too.
        Assert.DoesNotMatch("(?i)olga|zoe", $"{discarded}{led}");
        Assert.Equal("person", Export.Metadata(Cause.By("person").Headers, Disclosure.Anonymous, Key)!["actor"]!.ToString());
        Assert.Contains("order of Zoe", Export.Metadata(new Cause(id, "order of Zoe", id).Headers, Disclosure.WithoutSecrets, Key)!.ToJsonString(), StringComparison.Ordinal);
        Assert.Null(Export.Metadata(null, Disclosure.Anonymous, Key));
    }

    [Fact]
    public void with_another_key_gives_other_pseudonyms() =>
        Assert.NotEqual(Disclose(Created, Disclosure.Anonymous)["email"]!.ToString(), Disclose(Created, Disclosure.Anonymous, [1, 2, 3])["email"]!.ToString());

    [Fact]
    public void of_a_kind_that_is_not_known_gives_nothing_away() =>
        Assert.Equal("""{"address":""}""", Export.Disclose(new LoggedEvent(1, Guid.Empty, 1, Guid.Empty, "SomethingNew", """{"address":"x"}""", default), Disclosure.WithoutSecrets, Key).ToJsonString());

    private static System.Text.Json.Nodes.JsonObject Disclose(object e, Disclosure disclosure, byte[]? key = null) =>
        Export.Disclose(new LoggedEvent(1, Guid.Empty, 1, Guid.Empty, EventTypes.Of(e).Name, JsonSerializer.Serialize(e, e.GetType(), LogJson.Options), default), disclosure, key ?? Key);
}
