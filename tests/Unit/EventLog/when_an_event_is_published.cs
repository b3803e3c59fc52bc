using System.Runtime.CompilerServices;
using System.Text.Json;
using Marten;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Accounts;

namespace Signup.Tests.Unit.EventLog;

public class when_an_event_is_published
{
    private static readonly Guid Id = Guid.NewGuid();
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;
    private static readonly AccountCreated Created = new("Ada", "ada@example.org", "$argon2id$secret", "en", Now);

    [Fact]
    public void others_learn_all_but_the_secret() =>
        Assert.Equal(new Messages.Accounts.AccountCreated(Id, 1, "Ada", "ada@example.org", "en", Now), EventTypes.ToMessage(EventTypes.Of(Created), JsonSerializer.Serialize(Created, LogJson.Options), Id, 1));

    [Theory, InlineData(null), InlineData("null"), InlineData("{}"), InlineData("""{"traceparent":null,"tenant":7}""")]
    public void it_may_have_been_caused_by_nothing_that_is_known(string? headers) => Assert.Equal(Cause.None, Cause.Read(headers));

    [Fact]
    public void what_caused_it_is_told_as_it_was_noted()
    {
        foreach (var cause in new[] { new Cause("m", "c", "c", "t"), new Cause("m", "other", "c"), new Cause(null, null, null, "t"), new Cause("m", "c", "c", "t", "operator:ada"), Cause.By("person"), Cause.None })
            Assert.Equal(cause, Cause.Read(cause.Headers));
    }

    [Fact]
    public void its_json_without_secrets_has_no_hash()
    {
        var json = EventTypes.WithoutSecrets("AccountCreated", JsonSerializer.Serialize(Created, LogJson.Options));

        Assert.False(json.ContainsKey("passwordHash"));
        Assert.Equal("ada@example.org", json["email"]!.GetValue<string>());
    }

    [Fact]
    public void every_kind_has_a_message_that_its_own_fields_fill() => Assert.All(EventTypes.All, type =>
        Assert.Empty(type.Message.GetProperties().Select(p => p.Name).Except([.. type.Stored.GetProperties().Select(p => p.Name), "AccountId", "Version"])));

    [Fact]
    public void it_was_stored_under_its_frozen_name()
    {
        using var store = DocumentStore.For(options => LogStore.Configure(options, NpgsqlDataSource.Create("Host=nowhere")));
        using var session = store.LightweightSession();

        Assert.All(EventTypes.All, type => Assert.Equal(type.Name, session.Events.BuildEvent(RuntimeHelpers.GetUninitializedObject(type.Stored)).EventTypeName));
    }
}
