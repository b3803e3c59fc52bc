using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Signup.Tests.Fixture;
using static Signup.Tests.Integration.SigningUp.WholeSystem;

namespace Signup.Tests.Integration.SigningUp;

public class when_signing_up(WholeSystem whole) : IClassFixture<WholeSystem>
{
    [Fact]
    public async Task from_the_form_to_an_active_account()
    {
        var email = NewEmail();

        var (status, body, headers) = await whole.SignUpAsync(email);
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal(("Ada Lovelace", email, "pending"), ((string)body["username"]!, (string)body["email"]!, (string)body["status"]!));
        var id = (string)body["id"]!;
        Assert.Equal($"/users/{id}", headers.Location!.ToString());

        var token = await whole.TokenFromMailAsync(email);
        Assert.Equal(HttpStatusCode.OK, (await whole.Gateway.GetAsync($"activate?token={token}")).StatusCode);
        await whole.DocumentAsync(id, d => (string?)d["status"] == "pending", "looking at the link has changed nothing");

        Assert.Equal(HttpStatusCode.OK, (await whole.ActivateAsync(token)).StatusCode);
        var document = await whole.DocumentAsync(id, d => (string?)d["status"] == "active", "the read model shows it active");
        Assert.DoesNotContain("argon2", document.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await whole.ActivateAsync(token)).StatusCode);
    }

    [Fact]
    public async Task with_an_address_that_is_taken_in_another_spelling_is_a_conflict()
    {
        var email = NewEmail();
        await whole.SignUpAsync(email);

        var (status, body, _) = await whole.SignUpAsync($" {email.ToUpperInvariant()} ");

        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.EndsWith("/email-taken", (string)body["type"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task twice_at_once_for_one_address_makes_one_account()
    {
        var email = NewEmail();

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => whole.SignUpAsync(email)));

        Assert.Equal(1, answers.Count(a => a.Status == HttpStatusCode.Created));
        Assert.Equal(9, answers.Count(a => a.Status == HttpStatusCode.Conflict));
    }

    [Fact]
    public async Task again_with_the_same_key_gets_the_same_account_and_with_other_content_is_refused()
    {
        var (email, key) = (NewEmail(), Guid.NewGuid().ToString());

        var first = await whole.SignUpAsync(email, key: key);
        var again = await whole.SignUpAsync(email, key: key);
        var other = await whole.SignUpAsync(NewEmail(), key: key);

        Assert.Equal((HttpStatusCode.Created, (string)first.Body["id"]!), (again.Status, (string)again.Body["id"]!));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.Status);
    }

    [Fact]
    public async Task while_uniqueness_is_down_is_accepted_and_decided_later()
    {
        await whole.System["Uniqueness"].KillAsync();
        var (email, key) = (NewEmail(), Guid.NewGuid().ToString());

        var (status, body, headers) = await whole.SignUpAsync(email, key: key);
        Assert.Equal(HttpStatusCode.Accepted, status);
        Assert.NotNull(headers.Location);
        var (soon, late) = (await whole.PageAsync(body), await whole.PageAsync(body, "?since=1764200000"));

        await whole.System["Uniqueness"].StartAsync();
        Assert.Contains("This page refreshes by itself", soon, StringComparison.Ordinal);
        Assert.Contains("please sign up again", late, StringComparison.Ordinal);
        await whole.DocumentAsync((string)body["id"]!, d => (string?)d["status"] == "pending", "it was decided");
        Assert.Equal(HttpStatusCode.Created, (await whole.SignUpAsync(email, key: key)).Status);
    }

    [Fact]
    public async Task with_somebody_elses_key_while_nothing_is_decided_shows_nothing_of_them_and_is_refused_at_any_gateway()
    {
        var (email, key) = (NewEmail(), Guid.NewGuid().ToString());
        await whole.System["Uniqueness"].FreezeAsync();
        (HttpStatusCode Status, JsonObject Body, HttpResponseHeaders Headers) theirs, mine;
        try
        {
            var first = whole.SignUpAsync(email, key: key);
            await Wait.UntilAsync(async () => await whole.CommandsAsync("uniqueness") > 0, "theirs is on its way");
            (mine, theirs) = (await whole.SignUpAsync(NewEmail(), username: "Mallory", key: key), await first);
        }
        finally
        {
            await whole.System["Uniqueness"].ContinueAsync();
        }
        Assert.Equal((HttpStatusCode.Accepted, theirs.Headers.Location), (mine.Status, mine.Headers.Location));
        await whole.System["Gateway"].KillAsync();
        await whole.System["Gateway"].StartAsync();

        var refused = await Wait.ForAsync(async () => await whole.StatusAsync(mine.Body) is { Status: HttpStatusCode.OK } answer ? answer.Body : null, "mine is decided");
        Assert.Equal(("refused", "idempotency-key-reused", null, null), ((string?)refused["status"], (string?)refused["reason"], (string?)refused["username"], (string?)refused["email"]));
        Assert.Contains("This form was sent before", await whole.PageAsync(mine.Body), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Conflict, (await whole.PostAsync(mine.Body, "/email", new { email = NewEmail() })).StatusCode);
        var shown = (await whole.StatusAsync(theirs.Body)).Body;
        Assert.Equal(("pending", email), ((string?)shown["status"], (string?)shown["email"]));
    }

    [Fact]
    public async Task while_mail_is_down_gets_its_mail_when_it_is_back_and_one_only()
    {
        await whole.System["Mail"].KillAsync();
        var email = NewEmail();
        Assert.Equal(HttpStatusCode.Created, (await whole.SignUpAsync(email)).Status);

        await whole.System["Mail"].StartAsync();

        await whole.TokenFromMailAsync(email);
        var last = NewEmail();
        await whole.SignUpAsync(last);
        await whole.TokenFromMailAsync(last); // whatever else was to be sent to the first had its chance by now
        Assert.Single(whole.MailsTo(email));
    }
}
