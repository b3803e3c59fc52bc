using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Signup.EventLog;
using Signup.EventLog.Accounts;

namespace Signup.Tests.Unit.EventLog;

public class when_something_personal_is_sealed
{
    private static readonly Guid Id = Guid.Parse("0193b1c2-0000-7000-8000-000000000001"), Other = Guid.Parse("0193b1c2-0000-7000-8000-000000000002");
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32), AnotherKey = RandomNumberGenerator.GetBytes(32), HashKey = RandomNumberGenerator.GetBytes(32);
    private static readonly AccountCreated Created = new("Ada", "Ada@example.org", "$argon2id$secret", "en", Now);

    /// <summary>Texts that say nothing about anybody: a language, words of ours, the names of message types and queues, who of the operators did something, and why.</summary>
    private static readonly string[] Impersonal = ["Language", "Purpose", "Reason", "Application", "MessageType", "Queue", "By", "File"];

    private static string Json(object e) => JsonSerializer.Serialize(e, e.GetType(), LogJson.Options);

    private static string Seal(object e, Guid? stream = null) => PersonalData.Seal(EventTypes.Of(e), stream ?? Id, Json(e), Key, HashKey);

    private static T? Open<T>(string stored, byte[]? key, Guid? stream = null) => JsonSerializer.Deserialize<T>(PersonalData.Open(EventTypes.Find(typeof(T).Name)!, stream ?? Id, stored, key), LogJson.Options);

    private static JsonNode Field(string stored, string name, string part) => JsonNode.Parse(stored)![name]![part]!;

    [Fact]
    public void no_text_of_any_event_is_stored_as_it_is_but_those_that_say_nothing_about_anybody()
    {
        foreach (var type in EventTypes.All)
        {
            var open = type.Stored.GetProperties().Where(p => p.PropertyType == typeof(string)).Select(p => p.Name).Except(Impersonal).ToList();
            Assert.Equal(open.Order(StringComparer.OrdinalIgnoreCase), type.Personal.Keys.Order(StringComparer.OrdinalIgnoreCase), StringComparer.OrdinalIgnoreCase);
            Assert.All(type.Personal, p => Assert.Equal(p.Key.EndsWith("email", StringComparison.OrdinalIgnoreCase), p.Value.IsAddress));
        }
    }

    [Fact]
    public void the_log_does_not_show_it_and_who_has_the_key_reads_it()
    {
        var stored = Seal(Created);
        foreach (var text in new[] { "\"Ada\"", "ada@", "$argon2" }) Assert.DoesNotContain(text, stored, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(("en", "1970-01-01T00:00:00+00:00"), ((string?)JsonNode.Parse(stored)!["language"], (string?)JsonNode.Parse(stored)!["createdAt"]));
        Assert.Equal(Created, Open<AccountCreated>(stored, Key));
        Assert.True(PersonalData.IsSealed(EventTypes.Of(Created), stored));
        Assert.False(PersonalData.IsSealed(EventTypes.Of(Created), Json(Created)));
    }

    [Fact]
    public void without_the_key_there_is_an_event_and_nobody_whose_it_is() => Assert.Equal(new AccountCreated("", "", "", "en", Now), Open<AccountCreated>(Seal(Created), key: null));

    [Property]
    public Property any_text_comes_back_as_it_was() => Prop.ForAll<NonEmptyString, NonEmptyString>((one, other) =>
    {
        var e = new UsernameChanged(one.Get.Replace("\0", "x", StringComparison.Ordinal), other.Get.Replace("\0", "x", StringComparison.Ordinal), Now);
        return !PlainText.IsPlain(e.OldUsername) || !PlainText.IsPlain(e.NewUsername) || Open<UsernameChanged>(Seal(e), Key) == e;
    });

    [Fact]
    public void it_opens_with_no_other_key_in_no_other_place_and_not_when_it_was_altered()
    {
        var changed = new EmailChanged("a@example.org", "b@example.org", Now);
        var stored = Seal(changed);
        Assert.Throws<JsonException>(() => Open<EmailChanged>(stored, AnotherKey));
        Assert.Throws<JsonException>(() => Open<EmailChanged>(stored, Key, Other));
        var swapped = JsonNode.Parse(stored)!;
        (swapped["oldEmail"], swapped["newEmail"]) = (JsonNode.Parse(stored)!["newEmail"]!.DeepClone(), JsonNode.Parse(stored)!["oldEmail"]!.DeepClone());
        Assert.Throws<JsonException>(() => Open<EmailChanged>(swapped.ToJsonString(), Key));
        // By an address of another kind of event.
        var deleted = JsonNode.Parse(Seal(new AccountDeleted("a@example.org", Now)))!;
        deleted["email"] = JsonNode.Parse(Seal(Created))!["email"]!.DeepClone();
        Assert.Throws<JsonException>(() => Open<AccountDeleted>(deleted.ToJsonString(), Key));
        var blob = Convert.FromBase64String((string)Field(stored, "newEmail", "sealed")!);
        for (var i = 0; i < blob.Length; i++)
        {
            byte[] altered = [.. blob];
            altered[i] ^= 1;
            var json = JsonNode.Parse(stored)!;
            json["newEmail"]!["sealed"] = Convert.ToBase64String(altered);
            Assert.Throws<JsonException>(() => Open<EmailChanged>(json.ToJsonString(), Key));
        }
        foreach (var odd in new[] { "", "AQ==", "no base64" })
        {
            var json = JsonNode.Parse(stored)!;
            json["newEmail"]!["sealed"] = odd;
            Assert.Throws<JsonException>(() => Open<EmailChanged>(json.ToJsonString(), Key));
        }
    }

    [Fact]
    public void the_same_text_is_sealed_differently_each_time() =>
        Assert.Equal(100, Enumerable.Range(0, 100).Select(_ => (string?)Field(Seal(Created), "username", "sealed")).Distinct().Count());

    [Fact]
    public void of_an_address_there_is_a_hash_that_is_the_same_for_the_same_address_in_any_event_of_anybody()
    {
        string[] hashes =
        [
            Hash(Created, "email"), Hash(Created with { Email = " aDA@EXAMPLE.org" }, "email", Other), Hash(new AccountExpired("ada@example.org", Now), "email"), Hash(new AccountDeleted("ada@example.org", Now), "email"),
            Hash(new EmailChangeRequested("ada@example.org", Now, Now), "newEmail"), Hash(new EmailChanged("x@example.org", "ada@example.org", Now), "newEmail"), Hash(new EmailChanged("ada@example.org", "x@example.org", Now), "oldEmail"),
        ];
        Assert.Single(hashes.Distinct());
        Assert.Equal(Hash(Created with { Email = "ada@bücher.example" }, "email"), Hash(Created with { Email = "ada@xn--bcher-kva.example" }, "email"));
        Assert.NotEqual(hashes[0], Hash(Created with { Email = "adb@example.org" }, "email"));
        // Nobody without the key can try whether it is somebody's.
        Assert.NotEqual(hashes[0], (string?)Field(PersonalData.Seal(EventTypes.Of(Created), Id, Json(Created), Key, AnotherKey), "email", "hash"));
        foreach (var name in new[] { "username", "passwordHash" }) Assert.Null(JsonNode.Parse(Seal(Created))![name]!["hash"]);

        static string Hash(object e, string field, Guid? stream = null) => (string)Field(Seal(e, stream), field, "hash")!;
    }

    /// <summary>This was made with Python's cryptography and hmac.</summary>
    [Fact]
    public void it_can_be_opened_by_whoever_has_the_key_and_reads_the_description()
    {
        const string stored = """{"email": {"sealed": "AQABAgMEBQYHCAkKCyZmt1ugnaN2/S3ypd6bH0NXD09dJlW4rnyw75Bp72o=", "hash": "wsqFJOqz5UDhPU4jl74zOg=="}, "deletedAt": "1970-01-01T00:00:00+00:00"}""";
        byte[] key = [.. Enumerable.Range(0, 32).Select(n => (byte)n)];
        Assert.Equal("ada@example.org", Open<AccountDeleted>(stored, key)!.Email);
        Assert.Equal((string?)Field(stored, "email", "hash"), (string?)Field(PersonalData.Seal(EventTypes.Of(Created), Id, Json(Created), Key, key), "email", "hash"));
    }

    [Fact]
    public void what_was_never_sealed_or_is_no_text_is_as_it_is()
    {
        Assert.Equal(Created, Open<AccountCreated>(Json(Created), Key));
        Assert.Same("{}", PersonalData.Open(EventTypes.Find("AccountActivated")!, Id, "{}", Key));
        foreach (var odd in new[] { """{"email":null}""", """{"email":7}""", """{"email":""}""", """{"email":{"hash":"x"}}""", "{}", "[]", "null", "7" })
        {
            Assert.Equal(odd, PersonalData.Seal(EventTypes.Of(Created), Id, odd, Key, HashKey));
            Assert.Equal(odd, PersonalData.Open(EventTypes.Of(Created), Id, odd, Key));
        }
        // An import may write names as it likes.
        Assert.DoesNotContain("ada@", PersonalData.Seal(EventTypes.Of(Created), Id, """{"EMAIL":"ada@example.org"}""", Key, HashKey), StringComparison.Ordinal);
    }
}
