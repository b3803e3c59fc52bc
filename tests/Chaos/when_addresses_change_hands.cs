using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting;
using Signup.Tests.Integration.Mail;
using static Signup.Tests.Chaos.when_instances_are_killed_while_people_sign_up;

namespace Signup.Tests.Chaos;

public sealed class when_addresses_change_hands
{
    private const int People = 30, Strangers = 40, Wanted = 90;
    private static readonly int Rounds = Run.IsLong ? 60 : 8;

    /// <summary>For a wish to be decided after all that happened.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <param name="Email">The first one.</param>
    private sealed record Person(Guid Id, string Email, string Session);

    /// <summary>Somebody was told that their account has the address now.</summary>
    /// <param name="Address">As the log has it of everybody, also of those who were forgotten: hashed.</param>
    private sealed record Promise(Guid Id, string Address);

    /// <param name="Address">Hashed.</param>
    private sealed record Logged(Guid Id, string Type, string Address, string? OldAddress, bool Forgotten);

    /// <summary>People want addresses that others want, have or give up, leave, some to be forgotten, and come back, while instances die and strangers sign up with the same addresses. Links are over soon, so that what is reserved is taken over, too; some
    /// go to a gateway that tells nobody what is taken, and so reserves nothing.</summary>
    [Fact(Timeout = Run.Deadline)]
    public async Task none_ever_belongs_to_two_and_who_was_told_that_it_is_theirs_has_it()
    {
        var run = new Run();
        await using var smtp = new SmtpServer { Capabilities = { "SMTPUTF8" } }.Start();
        await using var system = await SignupSystem.StartAsync("hands", new Dictionary<string, string>(With(smtp)) { ["EmailChanges__Lifetime"] = "00:00:02" });
        var uniqueness = new[] { system["Uniqueness"], system.Add("Uniqueness") };
        var accounts = new[] { system["Accounts"], system.Add("Accounts") };
        var hiding = system.Add("Gateway");
        hiding.Set("Signup__HideTaken", "true");
        await Task.WhenAll(uniqueness[1].StartAsync(), accounts[1].StartAsync(), hiding.StartAsync());
        var tokens = new SignedTokens([system.SigningKey], TimeProvider.System);
        await using var database = NpgsqlDataSource.Create($"{system.Parts.Postgres};Pooling=false");
        var reader = new LogReader(database);
        using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = new Uri(system.GatewayUrl), Timeout = TimeSpan.FromSeconds(60) };

        var people = await Task.WhenAll(Enumerable.Range(0, People).Select(n => ComeAsync($"person.{n}@example.org")));
        var promises = new ConcurrentBag<Promise>();
        var left = new ConcurrentBag<Guid>();
        var forgotten = new ConcurrentBag<Guid>();
        byte[] hashKey;
        await using (var command = database.CreateCommand("select key from keys.hash")) hashKey = (byte[])(await command.ExecuteScalarAsync())!;
        var counts = new ConcurrentDictionary<string, int>();
        var done = 0;
        var seeds = people.Select(_ => run.Random.Next()).ToArray();
        var strangersSeed = run.Random.Next();
        (string What, Func<Task> Do)[] blows =
        [
            .. Enumerable.Repeat<(string, Func<Task>)>(("killing an instance of Uniqueness", () => KillAsync(uniqueness[0])), Run.IsLong ? 3 : 1),
            .. Enumerable.Repeat<(string, Func<Task>)>(("killing both", () => KillAsync(uniqueness)), Run.IsLong ? 3 : 1),
            ("killing an instance of Accounts", () => KillAsync(accounts[0])),
            ("restarting RabbitMQ", () => Parts.ProvisionAsync("restart", "rabbitmq")),
            ("restarting PostgreSQL", () => Parts.ProvisionAsync("restart", "postgres")),
        ];
        run.Random.Shuffle(blows);

        var lives = LivesAsync();
        for (var n = 0; n < blows.Length; n++)
        {
            var hit = ((2 * n) + 1) * People * Rounds / (2 * blows.Length);
            await Wait.UntilAsync(() => Task.FromResult(Volatile.Read(ref done) >= hit || lives.IsFaulted), $"{hit} wishes were answered", Patience);
            run.Tell(string.Create(CultureInfo.InvariantCulture, $"{done} answered; {blows[n].What}"));
            await blows[n].Do();
        }
        people = await lives;
        run.Tell(string.Join(", ", counts.OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => $"{c.Value} × {c.Key}")));

        var log = await LogAsync();
        NobodyHasWhatAnotherHas(log);
        // As often as it was said.
        var changes = log.Where(e => e.Type == "EmailChanged").ToLookup(e => new Promise(e.Id, e.Address));
        Assert.All(promises.GroupBy(p => p), said => Assert.True(said.Count() <= changes[said.Key].Count(), $"{said.Key} was not kept"));
        Assert.Equal(left.Order(), log.Where(e => e.Type == "AccountDeleted").Select(e => e.Id).Order());
        Assert.Equal(forgotten.Order(), log.Where(e => e.Forgotten).Select(e => e.Id).Order());
        Assert.InRange(forgotten.Count, 3, left.Count - 3);
        await Wait.UntilAsync(async () =>
        {
            await using var command = database.CreateCommand("select array_agg(id order by id) from keys.stream where key is null");
            return await command.ExecuteScalarAsync() is Guid[] ids && ids.SequenceEqual(forgotten.OrderBy(id => id.ToString(), StringComparer.Ordinal));
        }, "the keys of those who were forgotten are destroyed, and no others", Patience);
        // Of what it is meant to hit there was enough.
        foreach (var what in new[] { "confirmed: 200", "asked: 202", "asked: 409", "asked where it is hidden: 202", "left: 204" }) Assert.InRange(counts.GetValueOrDefault(what), 10, int.MaxValue);
        var (exitCode, output) = await system.RunAsync("Uniqueness", "verify");
        Assert.True(exitCode == 0, output);
        run.Tell("the log holds what the answers said, and the claims are what the log holds");
        foreach (var person in people) Assert.Equal(200, (await SignInAsync((await AccountAsync(person.Id)).Email)).Status);

        async Task<Person> ComeAsync(string email)
        {
            var key = $"{Guid.NewGuid()}";
            var id = (Guid)(await InsistAsync(() => PostAsync("users", new { username = "Ada", email, password = "correct horse battery" }, ("Idempotency-Key", key)), 201)).Json!["id"]!;
            await InsistAsync(() => PostAsync("activations", new { token = tokens.Issue("activation", id, DateTimeOffset.UtcNow.AddHours(1)) }), 200);
            return new(id, email, (string)(await SignInAsync(email)).Json!["token"]!);
        }

        Task<(int Status, JsonNode? Json)> SignInAsync(string email) => InsistAsync(() => PostAsync("sessions", new { email, password = "correct horse battery" }), 200, 401);

        async Task<Person[]> LivesAsync()
        {
            var strangers = StrangersAsync(new Random(strangersSeed));
            var last = Task.WhenAll(people.Select((person, n) => LiveAsync(person, new Random(seeds[n]))));
            await Task.WhenAll(last, strangers);
            return await last;
        }

        async Task<Person> LiveAsync(Person person, Random random)
        {
            for (var round = 0; round < Rounds; round++)
            {
                // One's first address comes back to one, too.
                var email = random.Next(6) == 0 ? person.Email : $"wanted.{random.Next(Wanted)}@example.org";
                var isHidden = random.Next(4) == 0;
                var asked = await InsistAsync(() => PostAsync($"{At(isHidden)}/account/email", new { email, password = "correct horse battery" }, Bearer(person)), 202, 400, isHidden ? 202 : 409, 429);
                Count($"asked{(isHidden ? " where it is hidden" : "")}: {asked.Status}");
                if (asked.Status == 202 && random.Next(5) > 0 && await AccountAsync(person.Id) is { EmailChange: { } wish } account)
                {
                    var token = tokens.Issue("email change", person.Id, DateTimeOffset.UtcNow.AddHours(1), account.EmailChangeCount);
                    var confirmed = await InsistAsync(() => PostAsync("email-changes", new { token }), 200, 400, 409);
                    Count($"confirmed: {confirmed.Status}");
                    if (confirmed.Status == 200) promises.Add(new(person.Id, Hash(wish.NewEmail)));
                }
                if (random.Next(6) == 0)
                {
                    var forget = random.Next(2) == 0;
                    // Where the answer was lost, it is nobody's account by then.
                    var leaving = await InsistAsync(() => SendAsync(HttpMethod.Delete, forget ? "account?forget=true" : "account", new { password = "correct horse battery" }, Bearer(person)), 204, 401);
                    Count($"left: {leaving.Status}");
                    left.Add(person.Id);
                    if (forget) forgotten.Add(person.Id);
                    person = await ComeAsync(person.Email);
                }
                Interlocked.Increment(ref done);
            }
            return person;
        }

        async Task StrangersAsync(Random random)
        {
            for (var n = 0; n < Strangers; n++)
            {
                var hit = n * People * Rounds / Strangers;
                await Wait.UntilAsync(() => Task.FromResult(Volatile.Read(ref done) >= hit), $"{hit} wishes were answered", Patience);
                var isHidden = random.Next(4) == 0;
                var answer = await InsistAsync(() => PostAsync($"{At(isHidden)}/users", new { username = "Eve", email = $"wanted.{random.Next(Wanted)}@example.org", password = "correct horse battery" }), isHidden ? [202] : [201, 202, 409]);
                Count($"signed up{(isHidden ? " where it is hidden" : "")}: {answer.Status}");
            }
        }

        string Hash(string email) => Convert.ToBase64String(HMACSHA256.HashData(hashKey, Encoding.UTF8.GetBytes(EmailAddress.Normalize(email)))[..16]);

        string At(bool isHidden) => isHidden ? hiding.Url : system.GatewayUrl;

        void Count(string what) => counts.AddOrUpdate(what, 1, (_, n) => n + 1);

        // Once more where there was no answer, or no decision.
        async Task<(int Status, JsonNode? Json)> InsistAsync(Func<Task<(int Status, JsonNode? Json)>> send, params int[] answers)
        {
            (int Status, JsonNode? Json) answer = default;
            await Wait.UntilAsync(async () =>
            {
                answer = await send();
                Assert.True(answer.Status is 0 or 202 or 503 || answers.Contains(answer.Status), $"{answer.Status}: {answer.Json}");
                return answers.Contains(answer.Status);
            }, "it is decided", Patience);
            return answer;
        }

        static (string, string) Bearer(Person person) => ("Authorization", $"Bearer {person.Session}");

        Task<(int Status, JsonNode? Json)> PostAsync(string path, object body, params (string, string)[] headers) => SendAsync(HttpMethod.Post, path, body, headers);

        async Task<(int Status, JsonNode? Json)> SendAsync(HttpMethod method, string path, object body, params (string Name, string Value)[] headers)
        {
            using var request = new HttpRequestMessage(method, path) { Content = JsonContent.Create(body) };
            foreach (var (name, value) in headers) request.Headers.Add(name, value);
            try
            {
                using var response = await http.SendAsync(request);
                var text = await response.Content.ReadAsStringAsync();
                return ((int)response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
            }
            catch (HttpRequestException)
            {
                return default;
            }
        }

        async Task<Account> AccountAsync(Guid id)
        {
            var account = Account.Nobody;
            await Wait.UntilAsync(async () =>
            {
                try
                {
                    return (account = await reader.LoadAccountAsync(id, Wait.Token)).Exists;
                }
                catch (NpgsqlException)
                {
                    return false;
                }
            }, "the database answers", Patience);
            return account;
        }

        async Task<List<Logged>> LogAsync()
        {
            await using var command = database.CreateCommand("""
                select stream_id, type, coalesce(data #>> '{newEmail,hash}', data #>> '{email,hash}'), data #>> '{oldEmail,hash}', coalesce((data ->> 'forgotten')::boolean, false) from log.mt_events
                where type in ('AccountCreated', 'EmailChanged', 'AccountDeleted') order by seq_id
                """);
            await using var rows = await command.ExecuteReaderAsync();
            var events = new List<Logged>();
            while (await rows.ReadAsync()) events.Add(new(rows.GetGuid(0), rows.GetString(1), rows.GetString(2), rows.IsDBNull(3) ? null : rows.GetString(3), rows.GetBoolean(4)));
            return events;
        }
    }

    /// <summary>At no moment.</summary>
    private static void NobodyHasWhatAnotherHas(List<Logged> log)
    {
        var owners = new Dictionary<string, Guid>();
        foreach (var e in log)
        {
            if ((e.Type == "AccountDeleted" ? e.Address : e.OldAddress) is { } given) Assert.True(owners.Remove(given, out var owner) && owner == e.Id, $"{e} gives up what it has not");
            if (e.Type != "AccountDeleted") Assert.True(owners.TryAdd(e.Address, e.Id), $"{e} takes what another has");
        }
    }
}
