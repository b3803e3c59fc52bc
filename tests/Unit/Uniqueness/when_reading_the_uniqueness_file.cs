using System.Text;
using System.Text.Json;
using Signup.Uniqueness;

namespace Signup.Tests.Unit.Uniqueness;

public class when_reading_the_uniqueness_file
{
    private const string Good = """
        {
          // two constraints
          "constraints": { "email": { "normalize": "email" }, "username": { "normalize": "casefold" } },
          "events": {
            "AccountCreated": { "email": { "create": "email" }, "username": { "create": "username" } },
            "EmailChangeRequested": { "email": { "reserve": { "value": "newEmail", "until": "expiresAt", "unless": "unreserved" } } },
            "EmailChanged": { "email": { "update": { "from": "oldEmail", "to": "newEmail" } } },
            "AccountDeleted": { "email": { "delete": "email" }, "username": { "delete": "*" } }
          }
        }
        """;

    [Fact]
    public void an_event_claims_what_the_file_says()
    {
        var data = JsonSerializer.SerializeToElement(new { email = " Ada@Example.org", username = "ADA" });

        Assert.Equal([new Claim("email", ClaimAction.Create, "ada@example.org", null), new Claim("username", ClaimAction.Create, "ada", null)],
            Parse(Good).ClaimsOf("AccountCreated", data));
    }

    [Fact]
    public void an_update_moves_a_claim() =>
        Assert.Equal([new Claim("email", ClaimAction.Update, "b@x.org", "a@x.org")],
            Parse(Good).ClaimsOf("EmailChanged", JsonSerializer.SerializeToElement(new { oldEmail = "A@x.org", newEmail = "B@x.org" })));

    [Fact]
    public void a_reservation_has_an_end()
    {
        var (rules, end) = (Parse(Good), new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero));
        Assert.Equal([new Claim("email", ClaimAction.Reserve, "b@x.org", null, end)], rules.ClaimsOf("EmailChangeRequested", JsonSerializer.SerializeToElement(new { newEmail = "B@x.org", expiresAt = end })));
        foreach (var wrong in new object[] { new { newEmail = "b@x.org" }, new { newEmail = "b@x.org", expiresAt = 7 }, new { newEmail = "b@x.org", expiresAt = "soon" } })
            Assert.Contains("'expiresAt'", Assert.Throws<FormatException>(() => rules.ClaimsOf("EmailChangeRequested", JsonSerializer.SerializeToElement(wrong))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void an_event_that_says_so_reserves_nothing_and_ends_what_was_reserved()
    {
        var end = new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
        Assert.Equal([new Claim("email", ClaimAction.Reserve, null, null, end)], Claims(true));
        foreach (var no in new object?[] { false, null, "true", 1 }) Assert.Equal("b@x.org", Claims(no).Single().Value);

        IReadOnlyList<Claim> Claims(object? unreserved) => Parse(Good).ClaimsOf("EmailChangeRequested", JsonSerializer.SerializeToElement(new { newEmail = "B@x.org", expiresAt = end, unreserved }));
    }

    [Fact]
    public void a_star_gives_up_whatever_the_stream_holds() =>
        Assert.Contains(new Claim("username", ClaimAction.Delete, null, null),
            Parse(Good).ClaimsOf("AccountDeleted", JsonSerializer.SerializeToElement(new { email = "a@x.org" })));

    [Fact]
    public void what_somebody_held_who_was_forgotten_is_nothing_any_more_in_the_log_and_may_not_be_proposed()
    {
        foreach (var (name, data) in new (string, object)[] { ("AccountCreated", new { username = "", email = "" }), ("EmailChanged", new { oldEmail = "", newEmail = "" }), ("AccountDeleted", new { email = "" }) })
        {
            Assert.Empty(Parse(Good).ClaimsOfLogged(name, JsonSerializer.SerializeToElement(data)));
            Assert.Throws<FormatException>(() => Parse(Good).ClaimsOf(name, JsonSerializer.SerializeToElement(data)));
        }
        Assert.Equal(Parse(Good).ClaimsOf("AccountDeleted", JsonSerializer.SerializeToElement(new { email = "a@x.org" })), Parse(Good).ClaimsOfLogged("AccountDeleted", JsonSerializer.SerializeToElement(new { email = "a@x.org" })));
        Assert.Throws<FormatException>(() => Parse(Good).ClaimsOfLogged("AccountDeleted", JsonSerializer.SerializeToElement(new { })));
    }

    [Fact]
    public void an_event_may_be_named_that_touches_nothing_yet()
    {
        var rules = Parse("""{ "events": { "UsernameChanged": {} } }""");
        Assert.True(rules.Names("UsernameChanged"));
        Assert.False(rules.Names("AccountCreated"));
        Assert.Empty(rules.ClaimsOf("UsernameChanged", JsonSerializer.SerializeToElement(new { oldUsername = "a", newUsername = "b" })));
    }

    [Fact]
    public void where_taken_values_are_hidden_an_event_may_claim_one_alone()
    {
        var addressesAlone = Good.Replace(", \"username\": { \"create\": \"username\" }", "", StringComparison.Ordinal);
        UniquenessServices.CheckThatTakenCanBeHidden(Parse(addressesAlone));
        Assert.Contains("EmailChangeRequested must say 'unless'", Assert.Throws<UniquenessFileException>(() =>
            UniquenessServices.CheckThatTakenCanBeHidden(Parse(addressesAlone.Replace(", \"unless\": \"unreserved\"", "", StringComparison.Ordinal)))).Message, StringComparison.Ordinal);
        Assert.Contains("AccountCreated claims email and username", Assert.Throws<UniquenessFileException>(() => UniquenessServices.CheckThatTakenCanBeHidden(Parse(Good))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void a_missing_field_is_named() =>
        Assert.Contains("'username'", Assert.Throws<FormatException>(() => Parse(Good).ClaimsOf("AccountCreated", JsonSerializer.SerializeToElement(new { email = "a@x.org" }))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("{", 1, "JSON")]
    [InlineData("{\n \"constraint\": {}\n}", 2, "'constraint' is unknown")]
    [InlineData("{\n \"constraints\": { \"email\": { \"normalize\": \"mail\" } }\n}", 2, "'mail' is unknown")]
    [InlineData("{\n \"events\": {\n  \"AccountCreatd\": {}\n }\n}", 3, "no event 'AccountCreatd'")]
    [InlineData("{\n \"constraints\": { \"email\": { \"normalize\": \"email\" } },\n \"events\": {\n  \"AccountCreated\": {\n   \"name\": { \"create\": \"email\" }\n} } }", 5, "'name' is not described")]
    [InlineData("{\n \"constraints\": { \"email\": { \"normalize\": \"email\" } },\n \"events\": {\n  \"AccountCreated\": {\n   \"email\":\n   { \"create\": \"mail\" }\n} } }", 6, "no field 'mail'")]
    [InlineData("{\n \"constraints\": { \"email\": { \"normalize\": \"email\" } },\n \"events\": {\n  \"EmailChanged\": {\n   \"email\": { \"update\": { \"from\": \"oldEmail\" } }\n} } }", 5, "both 'from' and 'to'")]
    [InlineData("{\n \"constraints\": { \"email\": { \"normalize\": \"email\" } },\n \"events\": {\n  \"EmailChangeRequested\": {\n   \"email\": { \"reserve\": { \"value\": \"newEmail\" } }\n} } }", 5, "both 'value' and 'until'")]
    [InlineData("{\n \"constraints\": { \"email\": { \"normalize\": \"email\" } },\n \"events\": {\n  \"EmailChangeRequested\": {\n   \"email\": { \"reserve\": { \"value\": \"newEmail\",\n \"until\": \"newEmail\" } }\n} } }", 6, "'newEmail' of the event 'EmailChangeRequested' is no time")]
    [InlineData("{\n \"constraints\": { \"email\": { \"normalize\": \"email\" } },\n \"events\": {\n  \"AccountCreated\": {\n   \"email\": { \"claim\": \"email\" }\n} } }", 5, "'claim' is unknown")]
    [InlineData("{\n\n}", 3, "no event is named")]
    public void what_is_wrong_is_said_with_its_line(string file, int line, string what)
    {
        var message = Assert.Throws<UniquenessFileException>(() => Parse(file)).Message;

        Assert.Contains($"line {line}:", message, StringComparison.Ordinal);
        Assert.Contains(what, message, StringComparison.Ordinal);
    }

    private static UniquenessRules Parse(string text) => UniquenessRules.Parse(Encoding.UTF8.GetBytes(text), "uniqueness.json");
}
