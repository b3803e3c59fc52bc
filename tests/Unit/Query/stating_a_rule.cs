using System.Text.Json.Nodes;
using Signup.Query.Inspection;

namespace Signup.Tests.Unit.Query;

public sealed class stating_a_rule
{
    private static readonly JsonObject Account = JsonNode.Parse("""
        { "version": 3, "username": "Zoë und Co", "status": "active", "mail": { "state": "sent", "count": 2, "sentAt": "2026-11-23T10:00:05+00:00" },
          "createdAt": "2026-11-23T10:00:00+00:00", "activatedAt": "2026-11-23T12:00:00+01:00" }
        """)!.AsObject();

    [Theory]
    [InlineData("status=active", true)]
    [InlineData("status = ACTIVE", true)]
    [InlineData("status=pending", false)]
    [InlineData("status!=pending", true)]
    [InlineData("mail=sent", true)]
    [InlineData("mail.count = 2", true)]
    [InlineData("mail.count > 10", false)]
    [InlineData("version >= 3", true)]
    [InlineData("version < 10", true)]
    [InlineData("version <= 2", false)]
    [InlineData("username = 'Zoë und Co'", true)]
    [InlineData("username = \"zoë und co\"", true)]
    [InlineData("activatedAt", true)]
    [InlineData("deletedAt", false)]
    [InlineData("deletedAt = x", false)]
    [InlineData("deletedAt != x", true)]
    [InlineData("activatedAt >= @createdAt", true)]
    [InlineData("activatedAt < @mail.sentAt", false)]
    [InlineData("activatedAt = 2026-11-23T11:00:00Z", true)]
    public void compares(string rule, bool holds) => Assert.Equal(holds, Rule.Parse(rule).Holds(Account));

    [Theory]
    [InlineData("status=active implies mail=sent", true)]
    [InlineData("status=active implies mail=failed", false)]
    [InlineData("status=expired implies mail=failed", true)]
    [InlineData("status=active and mail=failed or version=3", true)]
    [InlineData("status=active and (mail=failed or version=4)", false)]
    [InlineData("version=3 or mail=failed and status=expired", true)]
    [InlineData("not deletedAt", true)]
    [InlineData("not (status=active and version=3)", false)]
    [InlineData("not status=active or version=3", true)]
    [InlineData("status=active implies mail=sent implies version=4", false)]
    [InlineData("status=active IMPLIES Not deletedAt", true)]
    public void combines(string rule, bool holds) => Assert.Equal(holds, Rule.Parse(rule).Holds(Account));

    [Theory]
    [InlineData("", "lacks a field at its end")]
    [InlineData("status =", "lacks a value at its end")]
    [InlineData("status = and", "lacks a value before 'and'")]
    [InlineData("= active", "lacks a field before '='")]
    [InlineData("status=active mail=sent", "'mail' is unexpected")]
    [InlineData("(status=active", "not closed")]
    [InlineData("status='active", "not closed")]
    [InlineData("staus=active", "no field 'staus'")]
    [InlineData("status=@stat", "no field 'stat'")]
    [InlineData("status ! active", "'!' is unexpected")]
    public void wrongly_says_what_is_wrong(string rule, string message) =>
        Assert.Contains(message, Assert.Throws<FormatException>(() => Rule.Parse(rule)).Message, StringComparison.Ordinal);
}
