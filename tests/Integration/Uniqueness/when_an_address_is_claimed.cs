using Signup.EventLog;
using Signup.Messages.Uniqueness;
using Signup.Uniqueness;
using static Signup.Tests.Integration.Uniqueness.UniquenessPair;

namespace Signup.Tests.Integration.Uniqueness;

public class when_an_address_is_claimed(UniquenessPair pair) : IClassFixture<UniquenessPair>
{
    [Fact]
    public async Task the_event_is_in_the_log_when_the_caller_hears_yes()
    {
        var signUp = NewSignUp();

        var verdict = await pair.SignUpAsync(signUp);

        Assert.Equal((VerdictOutcome.Accepted, 1L), (verdict!.Outcome, verdict.Version));
        Assert.Equal([signUp.AccountId], await pair.AccountsWithAsync(signUp.Email));
    }

    [Fact]
    public async Task of_many_at_once_on_two_instances_exactly_one_gets_it()
    {
        var email = NewEmail();

        var verdicts = await Task.WhenAll(Enumerable.Range(0, 60).Select(n => pair.SignUpAsync(NewSignUp(n % 2 == 0 ? email : email.ToUpperInvariant()))));

        var winner = Assert.Single(verdicts, v => v!.Outcome == VerdictOutcome.Accepted);
        Assert.All(verdicts.Where(v => v != winner), v => Assert.Equal((VerdictOutcome.NotUnique, "email"), (v!.Outcome, v.Constraint)));
        Assert.Equal([winner!.StreamId], [.. await pair.AccountsWithAsync(email), .. await pair.AccountsWithAsync(email.ToUpperInvariant())]);
    }

    [Fact]
    public async Task the_two_doors_lead_to_one_room()
    {
        var (email, account) = (NewEmail(), Guid.NewGuid());

        Assert.Equal(200, (await pair.HttpAsync("POST", Created(account, email))).Status);

        Assert.Equal(VerdictOutcome.NotUnique, (await pair.SignUpAsync(NewSignUp(email)))!.Outcome);
        var (status, body) = await pair.HttpAsync("POST", Created(Guid.NewGuid(), $" {email.ToUpperInvariant()} "), pair.Second.Url);
        Assert.Equal((409, "email"), (status, body["constraint"]!.GetValue<string>()));
        Assert.EndsWith("/not-unique", body["type"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task the_same_sign_up_again_gets_its_first_answer_and_makes_no_second_account()
    {
        var signUp = NewSignUp();

        var first = await pair.SignUpAsync(signUp);
        var again = await pair.SignUpAsync(signUp with { RequestedAt = signUp.RequestedAt.AddMinutes(1) });

        Assert.Equal(first, again);
        Assert.Single(await pair.AccountsWithAsync(signUp.Email));
    }

    [Fact]
    public async Task of_two_who_begin_one_stream_with_different_values_one_gets_it_and_the_other_hears_of_it()
    {
        for (var round = 0; round < 20; round++)
        {
            var stream = Guid.NewGuid();

            var answers = await Task.WhenAll(pair.HttpAsync("POST", Created(stream, NewEmail())), pair.HttpAsync("POST", Created(stream, NewEmail()), pair.Second.Url));

            Assert.Equal([200, 409], answers.Select(a => a.Status).Order());
            Assert.EndsWith("/version-conflict", answers.Single(a => a.Status == 409).Body["type"]!.GetValue<string>(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task the_same_proposal_at_both_instances_at_once_gets_one_answer()
    {
        for (var round = 0; round < 20; round++)
        {
            var proposal = Created(Guid.NewGuid(), NewEmail());

            var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(n => pair.HttpAsync("POST", proposal, n % 2 == 0 ? null : pair.Second.Url)));

            Assert.All(answers, a => Assert.Equal(200, a.Status));
            Assert.Single(answers.Select(a => a.Body["position"]!.GetValue<long>()).Distinct());
        }
    }

    [Fact]
    public async Task a_no_stays_a_no_even_when_the_address_is_free_by_then()
    {
        var (holder, email) = (Guid.NewGuid(), NewEmail());
        await pair.HttpAsync("POST", Created(holder, email));
        var late = NewSignUp(email);
        Assert.Equal(VerdictOutcome.NotUnique, (await pair.SignUpAsync(late))!.Outcome);
        await pair.HttpAsync("DELETE", Event(holder, 1, "AccountDeleted", new { email, deletedAt = DateTimeOffset.UnixEpoch }));

        Assert.Equal(VerdictOutcome.NotUnique, (await pair.SignUpAsync(late))!.Outcome);
        Assert.Equal(VerdictOutcome.Accepted, (await pair.SignUpAsync(NewSignUp(email)))!.Outcome);
    }

    [Fact]
    public async Task other_content_under_a_key_that_was_used_is_a_conflict_even_if_the_first_was_refused()
    {
        var taken = NewSignUp();
        await pair.SignUpAsync(taken);
        var refused = NewSignUp(taken.Email) with { Once = true };
        Assert.Equal(VerdictOutcome.NotUnique, (await pair.SignUpAsync(refused))!.Outcome);

        Assert.Equal(VerdictOutcome.VersionConflict, (await pair.SignUpAsync(refused with { Email = NewEmail() }))!.Outcome);
        Assert.Equal(VerdictOutcome.VersionConflict, (await pair.SignUpAsync(taken with { Username = "eve" }))!.Outcome);
    }

    [Fact]
    public async Task whoever_has_missed_the_answer_finds_it_at_any_instance()
    {
        var (yes, no) = (Proposal(Guid.NewGuid(), NewEmail()), Proposal(Guid.NewGuid(), NewEmail()));
        Assert.Equal(404, (await pair.FindAsync(yes)).Status);
        var accepted = await pair.ProposeAsync(yes);
        await pair.ProposeAsync(no with { Data = yes.Data });
        var (other, invalid) = (yes with { EventId = Guid.NewGuid() }, no with { EventId = Guid.NewGuid(), Type = "Nonsense" });
        await pair.ProposeAsync(other);
        await pair.ProposeAsync(invalid);

        foreach (var (proposal, outcome, constraint) in new[] { (yes, "Accepted", null), (no, "NotUnique", "email"), (other, "VersionConflict", null), (invalid, "Invalid", null) })
        {
            var (status, verdict) = await pair.FindAsync(proposal);
            Assert.Equal((200, outcome, constraint), (status, (string?)verdict["outcome"], (string?)verdict["constraint"]));
        }
        Assert.Equal(accepted!.Position, (long)(await pair.FindAsync(yes)).Verdict["position"]!);
    }

    [Fact]
    public async Task a_proposal_that_met_another_version_is_decided_anew_where_it_meets_the_right_one()
    {
        var (first, email) = (Proposal(Guid.NewGuid(), NewEmail()), NewEmail());
        var change = new ProposeEvent(first.StreamId, Guid.NewGuid(), 1, "EmailChanged", System.Text.Json.JsonSerializer.SerializeToElement(
            new { oldEmail = (string?)first.Data.GetProperty("email").GetString(), newEmail = email, changedAt = DateTimeOffset.UnixEpoch }));
        Assert.Equal(VerdictOutcome.VersionConflict, (await pair.ProposeAsync(change))!.Outcome);
        await pair.ProposeAsync(first);

        Assert.Equal(VerdictOutcome.Accepted, (await pair.ProposeAsync(change))!.Outcome);
        Assert.Equal("Accepted", (string?)(await pair.FindAsync(change)).Verdict["outcome"]);
    }

    [Fact]
    public async Task it_lives_until_it_is_given_up_and_is_free_for_another_then()
    {
        var (first, second, a, b) = (Guid.NewGuid(), Guid.NewGuid(), NewEmail(), NewEmail());
        await pair.HttpAsync("POST", Created(first, a));

        Assert.Equal(200, (await pair.HttpAsync("PATCH", Event(first, 1, "EmailChanged", new { oldEmail = a, newEmail = b, changedAt = DateTimeOffset.UnixEpoch }))).Status);
        Assert.Equal(200, (await pair.HttpAsync("POST", Created(second, a))).Status);
        Assert.Equal(409, (await pair.HttpAsync("PATCH", Event(second, 1, "EmailChanged", new { oldEmail = a, newEmail = b, changedAt = DateTimeOffset.UnixEpoch }))).Status);
        Assert.Equal(200, (await pair.HttpAsync("DELETE", Event(first, 2, "AccountDeleted", new { email = b, deletedAt = DateTimeOffset.UnixEpoch }))).Status);
        Assert.Equal(200, (await pair.HttpAsync("PATCH", Event(second, 1, "EmailChanged", new { oldEmail = a, newEmail = b, changedAt = DateTimeOffset.UnixEpoch }))).Status);
    }

    [Fact]
    public async Task whoever_asks_hears_at_once_who_holds_it()
    {
        var (stream, a, b) = (Guid.NewGuid(), NewEmail(), NewEmail());
        await pair.HttpAsync("POST", Created(stream, a));
        Assert.Equal(($"{stream}", "nobody"), (await pair.HolderAsync("email", $" {a.ToUpperInvariant()}"), await pair.HolderAsync("email", b)));
        await pair.HttpAsync("PATCH", Event(stream, 1, "EmailChanged", new { oldEmail = a, newEmail = b, changedAt = DateTimeOffset.UnixEpoch }));
        Assert.Equal(("nobody", $"{stream}"), (await pair.HolderAsync("email", a), await pair.HolderAsync("email", b)));
        Assert.Equal(("400", "400", "400"), (await pair.HolderAsync("phone", a), await pair.HolderAsync("email", "no address"), await pair.HolderAsync("email", "\0@example.org")));
    }

    [Fact]
    public async Task nobody_gives_up_what_another_holds()
    {
        var (holder, other, email) = (Guid.NewGuid(), Guid.NewGuid(), NewEmail());
        await pair.HttpAsync("POST", Created(holder, email));
        await pair.HttpAsync("POST", Created(other, NewEmail()));

        var (status, body) = await pair.HttpAsync("DELETE", Event(other, 1, "AccountDeleted", new { email, deletedAt = DateTimeOffset.UnixEpoch }));

        Assert.Equal(409, status);
        Assert.EndsWith("/version-conflict", body["type"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(409, (await pair.HttpAsync("POST", Created(Guid.NewGuid(), email))).Status);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task an_unexpected_version_is_a_conflict(int expectedVersion)
    {
        var (account, email) = (Guid.NewGuid(), NewEmail());
        await pair.HttpAsync("POST", Created(account, email));

        var (status, body) = await pair.HttpAsync("PATCH", Event(account, expectedVersion, "EmailChanged", new { oldEmail = email, newEmail = NewEmail(), changedAt = DateTimeOffset.UnixEpoch }));

        Assert.Equal(409, status);
        Assert.EndsWith("/version-conflict", body["type"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task bad_input_is_told_what_to_do()
    {
        var id = Guid.NewGuid();
        await Expect(400, "streamId", "POST", new { expectedVersion = 0, type = "AccountCreated", data = new { } });
        await Expect(400, "expectedVersion", "POST", new { streamId = id, type = "AccountCreated", data = new { } });
        await Expect(400, "'Nonsense' is unknown", "POST", Event(id, 0, "Nonsense", new { }));
        await Expect(400, "'AccountActivated' is unknown here", "POST", Event(id, 0, "AccountActivated", new { activatedAt = DateTimeOffset.UnixEpoch }));
        await Expect(400, "'UsernameChanged' touches no unique value here", "PATCH", Event(id, 0, "UsernameChanged", new { oldUsername = "a", newUsername = "b", changedAt = DateTimeOffset.UnixEpoch }));
        await Expect(400, "email", "POST", Event(id, 0, "AccountCreated", new { username = "ada" }));
        await Expect(400, "form name@domain", "POST", Created(id, "not an address"));
        await Expect(400, "by POST", "DELETE", Created(id, NewEmail()));
        await Expect(400, "without NUL", "POST", Created(id, "a\0b@example.org"));
        await Expect(400, "well-formed Unicode", "POST", Created(id, "a\uFFFEb@example.org"));
        await Expect(400, "at most 2000 bytes", "POST", Created(id, new string('x', 3000) + "@example.org"));
        await Expect(400, "not be longer than 65536", "POST", Event(id, 0, "AccountCreated", new { username = new string('x', 70_000) }));
        await Expect(400, "0 to 1000000000", "POST", new { streamId = id, expectedVersion = long.MaxValue, type = "AccountCreated", data = new { } });
        Assert.Equal(401, (await pair.HttpAsync("POST", Created(id, NewEmail()), key: "wrong")).Status);

        async Task Expect(int expected, string text, string verb, object body)
        {
            var (status, problem) = await pair.HttpAsync(verb, body);
            Assert.Equal(expected, status);
            Assert.Equal("/problems/invalid", problem["type"]!.GetValue<string>());
            Assert.Contains(text, problem["detail"]!.GetValue<string>(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("[null]")]
    [InlineData("[{}]")]
    [InlineData("{}")]
    [InlineData("[")]
    public async Task what_is_no_list_of_proposals_is_bad_input(string body)
    {
        using var http = pair.System.Client("Uniqueness");
        foreach (var path in new[] { "/proposals", "/proposals/rehearsal" })
        {
            using var content = new StringContent(body);
            Assert.Equal(System.Net.HttpStatusCode.BadRequest, (await http.PostAsync(path, content)).StatusCode);
        }
    }

    [Fact]
    public async Task one_value_that_is_stuck_costs_the_others_nothing()
    {
        var email = NewEmail();
        var slow = await FreezeSecondAsync(Created(Guid.NewGuid(), email));
        try
        {
            var stuck = Enumerable.Range(0, 20).Select(_ => pair.ProposeAsync(Proposal(Guid.NewGuid(), email))).ToList();

            // One after the other. Were one of them to wait for the value, those who are stuck would have it by then.
            for (var n = 0; n < 10; n++) Assert.Equal(200, (await pair.HttpAsync("POST", Created(Guid.NewGuid(), NewEmail()))).Status);

            // For three seconds the database gives the value to nobody.
            Assert.DoesNotContain(stuck, s => s.IsCompleted);
            await Wait.UntilAsync(async () => (await pair.AccountsWithAsync(email)).Count == 1, "one of them has it then");
            await Task.WhenAll(stuck);
        }
        finally
        {
            await pair.Second.ContinueAsync();
        }
        Assert.Equal(409, (await slow).Status);
    }

    [Fact]
    public async Task a_connection_that_has_waited_for_one_in_vain_decides_the_next()
    {
        var rules = UniquenessRules.Parse(await File.ReadAllBytesAsync(Path.Combine(Parts.Root, "Endpoints", "Uniqueness", "uniqueness.json")), "uniqueness.json");
        var proposed = Proposal(Guid.NewGuid(), NewEmail());
        var proposal = Signup.Uniqueness.Proposal.Read(rules, proposed.StreamId, proposed.EventId, 0, proposed.Type, proposed.Data, once: false);
        await using var database = LogStore.Connect(pair.System.Parts.Postgres);
        await using var one = await database.OpenConnectionAsync();
        await using (var other = await database.OpenConnectionAsync())
        await using (await other.BeginTransactionAsync())
        {
            await LookAsync(other);
            // As often as it takes until the client prepares what it is given.
            for (var n = 0; n < 5; n++)
            {
                Assert.Equal("55P03", (await Assert.ThrowsAsync<Npgsql.PostgresException>(() => LookInTransactionAsync(one))).SqlState);
                // It keeps what it has in hand by saying something.
                await using var said = new Npgsql.NpgsqlCommand("show idle_in_transaction_session_timeout", other);
                Assert.Equal("3s", await said.ExecuteScalarAsync());
            }
        }

        await LookInTransactionAsync(one);

        Task LookAsync(Npgsql.NpgsqlConnection connection) => new ClaimBatch(connection, wait: true).LookAsync([proposal]);

        async Task LookInTransactionAsync(Npgsql.NpgsqlConnection connection)
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await LookAsync(connection);
        }
    }

    [Fact]
    public async Task who_gives_up_what_it_had_reserved_leaves_it_to_whoever_has_taken_it_in_the_same_moment()
    {
        var (account, other, old, wanted) = (Guid.NewGuid(), Guid.NewGuid(), NewEmail(), NewEmail());
        Assert.Equal(200, (await pair.HttpAsync("POST", Created(account, NewEmail()))).Status);
        Assert.Equal(200, (await pair.HttpAsync("POST", Event(account, 1, "EmailChangeRequested", Wish(old, DateTimeOffset.UnixEpoch)))).Status);
        var rules = UniquenessRules.Parse(await File.ReadAllBytesAsync(Path.Combine(Parts.Root, "Endpoints", "Uniqueness", "uniqueness.json")), "uniqueness.json");
        var proposal = Signup.Uniqueness.Proposal.Read(rules, account, Guid.NewGuid(), 2, "EmailChangeRequested", System.Text.Json.JsonSerializer.SerializeToElement(Wish(wanted, DateTimeOffset.UtcNow.AddDays(1))), once: false);
        await using var database = LogStore.Connect(pair.System.Parts.Postgres);
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var claims = new ClaimBatch(connection, wait: true);
        var state = await claims.LookAsync([proposal]);
        Assert.Equal(VerdictOutcome.Accepted, state.Decide(proposal)!.Outcome);

        Assert.Equal(200, (await pair.HttpAsync("POST", Created(other, old))).Status);
        await claims.WriteAsync(state);

        await using var holders = new Npgsql.NpgsqlCommand("select stream_id from uniqueness.claims where value = any($1) order by array_position($1, value)", connection) { Parameters = { new() { Value = new[] { old, wanted } } } };
        await using var reader = await holders.ExecuteReaderAsync();
        foreach (var holder in new[] { other, account })
        {
            Assert.True(await reader.ReadAsync());
            Assert.Equal(holder, reader.GetGuid(0));
        }

        static object Wish(string newEmail, DateTimeOffset expiresAt) => new { newEmail, expiresAt, requestedAt = DateTimeOffset.UnixEpoch };
    }

    /// <summary>Holds the second instance up where it has claimed and not yet appended, and freezes it there.</summary>
    private async Task<Task<(int Status, System.Text.Json.Nodes.JsonObject Body)>> FreezeSecondAsync(object proposal)
    {
        await using var held = await HeldAppends.BeginAsync(pair.System.Database);
        var slow = pair.HttpAsync("POST", proposal, pair.Second.Url);
        await held.HasClaimedAsync();
        await pair.Second.FreezeAsync();
        return slow;
    }
}
