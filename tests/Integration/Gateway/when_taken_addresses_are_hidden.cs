using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using static Signup.Tests.Integration.Gateway.GatewayHttp;

namespace Signup.Tests.Integration.Gateway;

/// <summary>One gateway tells it, as by default, one does not.</summary>
public sealed partial class when_taken_addresses_are_hidden(when_taken_addresses_are_hidden.Running running) : IClassFixture<when_taken_addresses_are_hidden.Running>
{
    public sealed class Running() : SystemWithGateway("hidden")
    {
        public GatewayHttp Hiding { get; private set; } = null!;

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            Hiding = await AnotherAsync(("Signup__HideTaken", "true"));
        }
    }

    private GatewayHttp Gateway => running.Hiding;

    [Fact]
    public async Task a_taken_address_is_answered_as_a_free_one_whatever_is_asked()
    {
        var (taken, _, _) = await running.SignUpAsync();
        var (active, _, _) = await running.ActiveAsync();

        var free = await AllAnswersAsync(NewEmail());
        Assert.Equal([202, 202, 200, 200, 202, 409, 401, 303, 200, 202], free.Select(a => a.Status));
        Assert.Equal("by-mail", (string?)free[0].Json["status"]);
        Assert.Equal($$"""{"id":"{{Id}}","username":null,"email":null,"status":"by-mail","mail":null}""", free[2].Text);
        // Once more: it is taken by now, by its own first.
        foreach (var email in new[] { taken, active, NewEmail() })
            Assert.Equal(free.Select(Shape), (await AllAnswersAsync(email)).Select(Shape));
    }

    [Fact]
    public async Task nobody_can_tell_a_thousand_taken_ones_from_a_thousand_free_ones_by_answer_or_time()
    {
        const int count = 1000;
        var taken = await TakeAsync(count);
        var tries = taken.Select(email => (Email: email, IsTaken: true)).Concat(Enumerable.Range(0, count).Select(_ => (NewEmail(), false))).ToArray();
        Random.Shared.Shuffle(tries);
        // The first are slower, whichever they are.
        for (var n = 0; n < 50; n++) await Gateway.PostJsonAsync("/users", Body(NewEmail()));

        var (times, answers) = ((Taken: new List<double>(), Free: new List<double>()), new HashSet<string>());
        foreach (var (email, isTaken) in tries)
        {
            var begun = Stopwatch.GetTimestamp();
            var answer = await Gateway.PostJsonAsync("/users", Body(email));
            (isTaken ? times.Taken : times.Free).Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            answers.Add(Shape(answer, email));
        }

        Assert.Single(answers);
        // Also without the slowest, in whose noise a small difference is lost (Reparaz, Balasch, Verbauwhede, "Dude, is my code constant time?", 2017).
        foreach (var share in new[] { 1, 0.9, 0.5 })
        {
            var slowest = times.Taken.Concat(times.Free).Order().ElementAt((int)(2 * count * share) - 1);
            var fast = (Taken: times.Taken.Where(t => t <= slowest).ToList(), Free: times.Free.Where(t => t <= slowest).ToList());
            Assert.InRange(Statistics.Welch(fast.Taken, fast.Free), -4.5, 4.5);
        }
    }

    [Fact]
    public async Task a_taken_one_counts_as_a_free_one_does_where_a_client_signs_up_too_often()
    {
        var (taken, _, _) = await running.SignUpAsync();
        using var gateway = await running.AnotherAsync(("Signup__HideTaken", "true"), ("RateLimiting__SignUpsPerMinute", "4"));
        foreach (var email in new[] { taken, NewEmail(), taken, NewEmail() }) Assert.Equal(202, (await gateway.PostJsonAsync("/users", Body(email))).Status);
        foreach (var email in new[] { taken, NewEmail() }) Assert.Equal(429, (await gateway.PostJsonAsync("/users", Body(email))).Status);
    }

    [Fact]
    public async Task whoever_has_the_address_is_told_by_mail_but_not_as_often_as_somebody_tries()
    {
        var (email, id, session) = await running.ActiveAsync();
        for (var n = 0; n < 4; n++) Assert.Equal(202, (await Gateway.PostJsonAsync("/users", Body(email, "Eve"))).Status);

        var mail = await running.MailAsync($"sign-up-attempted-*.{id}*");
        Assert.Contains("You have an account already", mail, StringComparison.Ordinal);
        Assert.DoesNotContain("Eve", mail, StringComparison.Ordinal);
        var (other, otherId, _) = await running.ActiveAsync();
        await Gateway.PostJsonAsync("/users", Body(other));
        await running.MailAsync($"sign-up-attempted-*.{otherId}*");
        await Wait.UntilAsync(async () => (await running.EventsAsync(id)).SequenceEqual(["AccountCreated", "AccountActivated", "SignUpAttempted", "SignUpAttempted", "SignUpAttempted"]), "so many are told of, and no more");
        Assert.Equal((string?)(await Gateway.GetAsync("/account", session)).Json["email"], email);
    }

    [Fact]
    public async Task whoever_signs_up_twice_before_activating_gets_the_link_once_more()
    {
        var email = NewEmail();
        var first = await Gateway.PostJsonAsync("/users", Body(email));
        var id = (string)first.Json["id"]!;
        var link = await running.LinkAsync($"activation.{id}*");
        await running.System.ActivationMailSentAsync(Guid.Parse(id));
        Assert.NotEqual(id, (string?)(await Gateway.PostJsonAsync("/users", Body(email))).Json["id"]);

        Assert.Equal(link, await running.LinkAsync($"sign-up-again-1.{id}*"));
        Assert.Equal(401, (await SignInAsync(email)).Status);
        Assert.Equal(200, (await Gateway.PostJsonAsync("/activations", new JsonObject { ["token"] = link }.ToJsonString())).Status);
        Assert.Equal(id, (string?)(await SignInAsync(email)).Json["account"]!["id"]);
        // Nor then does whoever signed up learn of it where anybody could.
        Assert.Equal("by-mail", (string?)(await Gateway.GetAsync($"/users/{id}", Bearer(first.Json))).Json["status"]);
    }

    [Fact]
    public async Task the_mail_comes_once_more_to_whoever_asks_where_there_is_one_to_come()
    {
        var answer = await Gateway.PostJsonAsync("/users", Body(NewEmail()));
        await running.System.ActivationMailSentAsync(Guid.Parse((string)answer.Json["id"]!));

        Assert.Equal(202, (await Gateway.SendAsync(HttpMethod.Post, $"/users/{answer.Json["id"]}/activation-mail", null, Bearer(answer.Json))).Status);
        await running.MailAsync($"resend-1.{answer.Json["id"]}*");
    }

    [Fact]
    public async Task the_same_idempotency_key_is_the_same_sign_up_and_with_other_content_another_one_that_nobody_can_tell_anything_by()
    {
        var (taken, _, _) = await running.SignUpAsync();
        foreach (var first in new[] { NewEmail(), taken })
        {
            var (key, own) = (("Idempotency-Key", $"{Guid.NewGuid()}"), NewEmail());
            var answers = new[] { await Gateway.PostJsonAsync("/users", Body(first), key), await Gateway.PostJsonAsync("/users", Body(first), key) };
            Assert.Equal(answers[0].Text, answers[1].Text);
            // A mail to an address of one's own must not tell what became of the first.
            var other = await Gateway.PostJsonAsync("/users", Body(own), key);
            Assert.Equal(202, other.Status);
            Assert.NotEqual((string?)answers[0].Json["id"], (string?)other.Json["id"]);
            Assert.Contains($"To: {own}", await running.MailAsync($"activation.{other.Json["id"]}*"), StringComparison.Ordinal);
            if (first == taken) continue;
            // Nobody is told of having asked twice.
            await running.MailAsync($"activation.{answers[0].Json["id"]}*");
            Assert.Equal(["AccountCreated"], await running.EventsAsync(Guid.Parse((string)answers[0].Json["id"]!)));
        }
    }

    [Fact]
    public async Task a_sign_up_is_kept_while_nobody_can_say_whether_its_address_is_taken()
    {
        var uniqueness = running.System["Uniqueness"];
        await uniqueness.KillAsync();
        var answer = await Gateway.PostJsonAsync("/users", Body(NewEmail()));
        Assert.Equal(202, answer.Status);
        await uniqueness.StartAsync();
        await running.MailAsync($"activation.{answer.Json["id"]}*");
    }

    [Fact]
    public async Task uniqueness_does_not_start_where_a_taken_value_would_show_by_another()
    {
        var file = Path.Combine(running.System.Parts.Directory, "two.json");
        await File.WriteAllTextAsync(file, """
            { "constraints": { "email": { "normalize": "email" }, "username": { "normalize": "casefold" } },
              "events": { "AccountCreated": { "email": { "create": "email" }, "username": { "create": "username" } } } }
            """);
        var process = running.System.Add("Uniqueness");
        process.Set("Signup__HideTaken", "true");
        process.Set("Uniqueness__File", file);
        Assert.Contains("With Signup:HideTaken", (await Assert.ThrowsAsync<InvalidOperationException>(process.StartAsync)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task a_taken_address_may_be_wanted_as_a_free_one_is_and_whoever_reads_mail_there_learns_of_it()
    {
        var answers = new HashSet<string>();
        foreach (var (email, isFree) in new[] { (NewEmail(), true), ((await running.SignUpAsync()).Email, false), ((await running.ActiveAsync()).Email, false) })
        {
            var (own, id, session) = await running.ActiveAsync();
            var wish = await Gateway.PostJsonAsync("/account/email", new JsonObject { ["email"] = email, ["password"] = Password }.ToJsonString(), session);
            Assert.Equal((202, own), (wish.Status, (string?)(await Gateway.GetAsync("/account", session)).Json["email"]));
            answers.Add(Shape(wish));
            Assert.Equal(["AccountCreated", "AccountActivated", "EmailChangeRequested"], await running.EventsAsync(id));

            var link = new JsonObject { ["token"] = await running.LinkAsync($"email-confirmation-*.{id}*") }.ToJsonString();
            var confirmed = await Gateway.PostJsonAsync("/email-changes", link);
            Assert.Equal(isFree ? 200 : 409, confirmed.Status);
            Assert.Equal(isFree ? email : own, (string?)(await Gateway.GetAsync("/account", session)).Json["email"]);
        }
        Assert.Single(answers);
    }

    [Fact]
    public async Task an_address_that_is_only_wanted_belongs_to_whoever_takes_it_first_and_the_claims_hold_what_the_log_says()
    {
        var (email, (_, id, session)) = (NewEmail(), await running.ActiveAsync());
        var wish = new JsonObject { ["email"] = email, ["password"] = Password }.ToJsonString();
        // First reserved, then not.
        Assert.Equal(202, (await running.Gateway.PostJsonAsync("/account/email", wish, session)).Status);
        Assert.Equal(409, (await running.Gateway.PostJsonAsync("/users", Body(email))).Status);
        Assert.Equal(202, (await Gateway.PostJsonAsync("/account/email", wish, session)).Status);
        Assert.Equal(201, (await running.Gateway.PostJsonAsync("/users", Body(email))).Status);

        Assert.Equal(409, (await Gateway.PostJsonAsync("/email-changes", new JsonObject { ["token"] = await running.LinkAsync($"email-confirmation-*.{id}*") }.ToJsonString())).Status);
        foreach (var command in new[] { "verify", "rebuild", "verify" })
        {
            var (exitCode, output) = await running.System.RunAsync("Uniqueness", command);
            Assert.True(exitCode == 0, output);
        }
    }

    [Fact]
    public async Task an_address_that_somebody_had_reserved_is_free_once_that_is_over()
    {
        using var honest = await running.AnotherAsync(("EmailChanges__Lifetime", "00:00:01"));
        var (email, (_, _, session)) = (NewEmail(), await running.ActiveAsync());
        Assert.Equal(202, (await honest.PostJsonAsync("/account/email", new JsonObject { ["email"] = email, ["password"] = Password }.ToJsonString(), session)).Status);
        await Wait.UntilAsync(async () =>
        {
            await Gateway.PostJsonAsync("/users", Body(email));
            return (await running.System.Database.EventsAsync<Signup.EventLog.Accounts.AccountCreated>()).Any(e => e.Happened.Email == email);
        }, "somebody has the address");
    }

    /// <summary>Everything that whoever has signed up can ask, in order.</summary>
    private async Task<List<Answer>> AllAnswersAsync(string email)
    {
        var signUp = await Gateway.PostJsonAsync("/users", Body(email, password: Strangers));
        var (id, bearer) = ((string)signUp.Json["id"]!, Bearer(signUp.Json));
        var path = $"/users/{id}";
        var (fields, cookie) = await Gateway.FormAsync(email, password: Strangers);
        var form = await Gateway.PostFormAsync("/", fields, cookie);
        var answers = new List<Answer>
        {
            signUp,
            await Gateway.PostJsonAsync("/users", Body(email, password: Strangers)),
            await Gateway.GetAsync(path, bearer),
            await Gateway.GetAsync(path, bearer, ("Accept", "text/html")),
            await Gateway.SendAsync(HttpMethod.Post, $"{path}/activation-mail", null, bearer),
            await Gateway.PostJsonAsync($"{path}/email", new JsonObject { ["email"] = NewEmail() }.ToJsonString(), bearer),
            await SignInAsync(email, Strangers),
            form,
            await Gateway.GetAsync(form.Header("Location")!, ("Cookie", form.Cookie), ("Accept", "text/html")),
            await Gateway.PostJsonAsync("/password-resets", new JsonObject { ["email"] = email }.ToJsonString()),
        };
        return [.. answers.Select(a => a with { Text = Masked(a.Text, email) })];
    }

    private const string Id = "ID", Strangers = "another horse battery";

    private static string Shape(Answer answer) => Shape(answer, "");

    /// <summary>Status, headers and body, but for what is each one's own.</summary>
    private static string Shape(Answer answer, string email) =>
        string.Join('\n', answer.Headers.Concat(answer.ContentHeaders).Where(h => h.Key != "Date").OrderBy(h => h.Key).Select(h => $"{h.Key}: {Masked(string.Join(", ", h.Value), email)}").Prepend($"{answer.Status}").Append(Masked(answer.Text, email)));

    private static string Masked(string text, string email) =>
        Tokens().Replace(Ids().Replace(email.Length > 0 ? text.Replace(email, "EMAIL", StringComparison.Ordinal) : text, Id), "$1TOKEN");

    /// <summary>Somebody's, who is active.</summary>
    private async Task<string[]> TakeAsync(int count)
    {
        var ids = new Guid[count];
        var emails = Enumerable.Range(0, count).Select(_ => NewEmail()).ToArray();
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (n, _) =>
        {
            var id = ids[n] = Guid.Parse((string)(await running.Gateway.PostJsonAsync("/users", Body(emails[n]))).Json["id"]!);
            await running.System.Commands.SendAsync(Topology.Accounts, new ActivateAccount(id, DateTimeOffset.UtcNow), Guid.NewGuid(), Wait.Deadline, Wait.Token);
        });
        await Wait.UntilAsync(async () =>
        {
            await using var command = running.System.Database.CreateCommand("select count(*) = $2 from log.mt_events where type = 'AccountActivated' and stream_id = any($1)");
            command.Parameters.AddWithValue(ids);
            command.Parameters.AddWithValue((long)count);
            return (bool)(await command.ExecuteScalarAsync())!;
        }, "all are active");
        return emails;
    }

    private Task<Answer> SignInAsync(string email, string password = Password) => Gateway.PostJsonAsync("/sessions", new JsonObject { ["email"] = email, ["password"] = password }.ToJsonString());

    [GeneratedRegex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")]
    private static partial Regex Ids();

    [GeneratedRegex("""("statusToken":"|"traceId":"|status=|name="(?:token|key|form)[^"]*" value="|form=)[\w.-]+""")]
    private static partial Regex Tokens();
}
