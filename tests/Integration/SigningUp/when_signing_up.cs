using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
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
        var key = Guid.NewGuid().ToString();
        await whole.System["Uniqueness"].FreezeAsync();
        (HttpStatusCode Status, JsonObject Body, HttpResponseHeaders Headers)[] both;
        try
        {
            both = await Task.WhenAll(whole.SignUpAsync(NewEmail(), key: key), whole.SignUpAsync(NewEmail(), username: "Mallory", key: key));
        }
        finally
        {
            await whole.System["Uniqueness"].ContinueAsync();
        }
        Assert.All(both, answer => Assert.Equal((HttpStatusCode.Accepted, both[0].Headers.Location), (answer.Status, answer.Headers.Location)));
        await whole.System["Gateway"].KillAsync();
        await whole.System["Gateway"].StartAsync();

        var decided = await Task.WhenAll(both.Select(one => Wait.ForAsync(async () => await whole.StatusAsync(one.Body) is { Status: HttpStatusCode.OK } answer ? answer.Body : null, "each is decided")));
        // Which of the two came first is nobody's promise.
        var second = (string?)decided[0]["status"] == "refused" ? 0 : 1;
        var (mine, refused, theirs, shown) = (both[second].Body, decided[second], both[1 - second].Body, decided[1 - second]);
        Assert.Equal(("refused", "idempotency-key-reused", null, null), ((string?)refused["status"], (string?)refused["reason"], (string?)refused["username"], (string?)refused["email"]));
        Assert.Contains("This form was sent before", await whole.PageAsync(mine), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Conflict, (await whole.PostAsync(mine, "/email", new { email = NewEmail() })).StatusCode);
        Assert.Equal(("pending", (string?)theirs["username"], (string?)theirs["email"]), ((string?)shown["status"], (string?)shown["username"], (string?)shown["email"]));
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

    [Fact]
    public async Task again_after_signing_key_and_cost_of_hashing_were_changed_gets_the_first_answer()
    {
        var (email, mine, late) = (NewEmail(), Guid.NewGuid().ToString(), Guid.NewGuid().ToString());
        var first = await whole.SignUpAsync(email, key: mine);
        Assert.Equal(HttpStatusCode.Conflict, (await whole.SignUpAsync(email, username: "Mallory", key: late)).Status);

        var changed = whole.System.Add("Gateway");
        changed.Set("PasswordHashing__Passes", "2");
        changed.Set("PasswordHashing__Earlier__0__MemoryKiB", "8");
        changed.Set("PasswordHashing__Earlier__0__Passes", "1");
        foreach (var keys in new[] { whole.System.SigningKey, RandomNumberGenerator.GetBytes(32) }.Select(Convert.ToBase64String))
        {
            changed.Set("Signup__SigningKey", $"{keys},{Convert.ToBase64String(whole.System.SigningKey)}");
            await changed.StartAsync();
            using var gateway = new HttpClient { BaseAddress = new Uri(changed.Url) };

            var again = await whole.SignUpAsync(email, key: mine, gateway: gateway);
            Assert.Equal((HttpStatusCode.Created, (string)first.Body["id"]!), (again.Status, (string)again.Body["id"]!));
            var taken = await whole.SignUpAsync(email, username: "Mallory", key: late, gateway: gateway);
            Assert.Equal((HttpStatusCode.Conflict, "/problems/email-taken"), (taken.Status, (string)taken.Body["type"]!));

            using var request = new HttpRequestMessage(HttpMethod.Get, $"users/{first.Body["id"]}") { Headers = { Authorization = new("Bearer", (string?)again.Body["statusToken"]) } };
            using var shown = await gateway.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, shown.StatusCode);
            using var link = await gateway.GetAsync($"activate?token={await whole.TokenFromMailAsync(email)}");
            Assert.Equal(HttpStatusCode.OK, link.StatusCode);
            await changed.StopAsync();
        }
    }

    [Fact]
    public async Task opening_the_link_again_when_it_was_used_says_that_the_account_is_active()
    {
        var email = NewEmail();
        var id = (string)(await whole.SignUpAsync(email)).Body["id"]!;
        var token = await whole.TokenFromMailAsync(email);
        var before = await whole.Gateway.GetStringAsync($"activate?token={token}");
        await whole.ActivateAsync(token);
        await whole.DocumentAsync(id, d => (string?)d["status"] == "active", "the read model shows it active");

        var after = await whole.Gateway.GetStringAsync($"activate?token={token}.");

        Assert.Contains("<form", before, StringComparison.Ordinal);
        Assert.DoesNotContain("<form", after, StringComparison.Ordinal);
        Assert.Contains("Your account is active", after, StringComparison.Ordinal);
    }

    private static readonly string[] PassingStates = ["08006", "0A000", "25006", "25P03", "28P01", "3D000", "40001", "53100", "53300", "55P03", "57014", "58030"];
    private static readonly string[] Writes = ["created", "activated", "mail"];

    /// <summary>One account for each state: Uniqueness and Accounts meet it twice when they write, message by message, and Mail, which tries all that is new at once, one of them.</summary>
    [Fact]
    public async Task while_the_database_is_in_a_state_that_passes_gets_through_all_the_same()
    {
        await ExecuteAsync($$"""
            create function trouble() returns trigger language plpgsql as $$
            declare created jsonb; state text; begin
                execute format('select data from log.mt_events where stream_id = ($1).%I and version = 1', tg_argv[0]) using new into created;
                if created is null and tg_table_name = 'mt_events' then created := to_jsonb(new) -> 'data'; end if;
                -- A sealed name shows how long it is, and that tells which state it is: 4 characters of Base64 for 3 bytes.
                state := ('{ {{string.Join(',', PassingStates)}} }'::text[])[length(created #>> '{username,sealed}') / 4 - 19];
                if state is not null and (tg_argv[1] <> 'mail' or state = '25006') and nextval(lower(format('trouble_%s_%s', state, tg_argv[1]))) <= 2 then
                    raise exception using errcode = state, message = 'this passes';
                end if;
                return new;
            end $$;
            {{string.Concat(from state in PassingStates from write in Writes select $"create sequence trouble_{state}_{write};")}}
            create trigger trouble before insert on log.mt_events for each row when (new.type = 'AccountCreated') execute function trouble('stream_id', 'created');
            create trigger trouble_later before insert on log.mt_events for each row when (new.type = 'AccountActivated') execute function trouble('stream_id', 'activated');
            create trigger trouble before insert on mail.activation for each row execute function trouble('id', 'mail');
            """);
        try
        {
            var emails = PassingStates.ToDictionary(s => s, _ => NewEmail());
            var answers = await Task.WhenAll(PassingStates.Select((s, i) => whole.SignUpAsync(emails[s], username: s.PadRight(30 + (3 * i), 'x'))));
            Assert.All(answers, a => Assert.True(a.Status is HttpStatusCode.Created or HttpStatusCode.Accepted));

            var tokens = await Task.WhenAll(emails.Values.Select(whole.TokenFromMailAsync));
            await Task.WhenAll(tokens.Select(whole.ActivateAsync));

            await Task.WhenAll(answers.Select(a => whole.DocumentAsync((string)a.Body["id"]!, d => (string?)d["status"] == "active", $"{a.Body["username"]} is active")));
            Assert.Equal(0, await whole.CommandsAsync("error"));
            Assert.All(emails.Values, e => Assert.Single(whole.MailsTo(e)));
        }
        finally
        {
            await ExecuteAsync("drop function trouble cascade");
        }
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = whole.System.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
