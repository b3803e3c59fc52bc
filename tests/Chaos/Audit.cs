using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using Signup.Tests.Integration.Mail;
using Stored = Signup.EventLog.Accounts;

namespace Signup.Tests.Chaos;

/// <summary>An <c>AccountCreated</c> as it stands in the log.</summary>
public sealed record Created(Guid Account, long Version, string Username, string Email);

/// <summary>Looks at what is left when all is over.</summary>
public sealed class Audit(SignupSystem system, SmtpServer smtp)
{
    /// <summary>Not pooled: tests restart the server, and a kept connection would be found dead only when it is used.</summary>
    private readonly string _database = $"{system.Parts.Postgres};Pooling=false";

    /// <summary>For mails and documents to be there.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private const string OwnQueue = "chaos";

    /// <summary>Subscribes a queue of the test's own, so that what was published is known whatever other consumers make of it.
    /// Before the first sign-up.</summary>
    public async Task SubscribeAsync()
    {
        await using var channel = await system.Broker.OpenChannelAsync(Wait.Token);
        await Partner.SubscribeAsync(channel, OwnQueue, typeof(AccountCreated));
    }

    public async Task<IReadOnlyList<Created>> CreatedAsync()
    {
        await using var database = NpgsqlDataSource.Create(_database);
        return [.. (await database.EventsAsync<Stored.AccountCreated>()).Select(e => new Created(e.Event.StreamId, e.Event.Version, e.Happened.Username, e.Happened.Email))];
    }

    /// <summary>What the answers promised is what the log holds.</summary>
    /// <param name="answers">To every attempt, and final: 201 or 409.</param>
    public async Task AnswersAreTrueAsync(IReadOnlyList<Attempt> attempts, IReadOnlyDictionary<int, Answer> answers)
    {
        var created = await CreatedAsync();
        var byUsername = created.ToLookup(c => c.Username);
        foreach (var attempt in attempts)
        {
            var (events, answer) = (byUsername[attempt.Username].ToArray(), answers[attempt.Number]);
            if (answer.Status == 201)
            {
                // Every "yes" has exactly one event, and it is the one that was asked for.
                var only = Assert.Single(events);
                Assert.Equal((answer.Id!.Value, 1L, attempt.Email.Trim()), (only.Account, only.Version, only.Email));
            }
            else
            {
                Assert.True(answer.Status == 409, $"sign-up {attempt.Number} got {answer.Status}");
                Assert.Empty(events);
            }
        }
        // By what the test knows of the addresses, and by what the system takes for the same.
        var winners = attempts.Where(a => answers[a.Number].Status == 201).ToArray();
        Assert.Equal(attempts.Select(a => a.Address).Distinct().Order(), winners.Select(a => a.Address).Order());
        Assert.Equal(winners.Length, created.Count);
        Assert.Equal(created.Count, created.Select(c => EmailAddress.Normalize(c.Email)).Distinct().Count());
    }

    /// <summary>Every account was told of, has a document and its mail.</summary>
    /// <param name="doubled">So many mails at most may have come twice: those that were in somebody's hands who died, or whose note was lost.</param>
    public async Task EveryoneHasHeardAsync(int doubled = 0)
    {
        await PublishedAsync((await CreatedAsync()).Select(c => c.Account).ToHashSet());
        await EveryoneHasDocumentAndMailAsync(doubled);
        Assert.Equal(0u, await MessagesInErrorAsync());
    }

    public async Task EveryoneHasDocumentAndMailAsync(int doubled = 0)
    {
        var accounts = (await CreatedAsync()).Select(c => c.Account).ToHashSet();
        using var query = system.Client("Query");
        var undocumented = accounts.ToHashSet();
        await Wait.UntilAsync(async () =>
        {
            foreach (var id in undocumented.Take(200).ToArray())
            {
                using var response = await query.GetAsync($"accounts/{id}");
                if (response.StatusCode != HttpStatusCode.OK) return false;
                undocumented.Remove(id);
            }
            return undocumented.Count == 0;
        }, "Query has a document for each account", Patience);
        // One that is asked for by its id is there from its event on; the list is the read model's own, which may rest for five seconds after an outage.
        HashSet<Guid> listed = [];
        await Wait.UntilAsync(async () => (listed = await ListedAsync(query)).Count >= accounts.Count, "Query lists each account", Patience);
        Assert.Equal(accounts.Order(), listed.Order());

        await Wait.UntilAsync(() => Task.FromResult(Mailed().Distinct().Count() >= accounts.Count), "each account has its mail", Patience);
        var mailed = Mailed();
        Assert.Equal(accounts.Order(), mailed.Distinct().Order());
        Assert.InRange(mailed.Count - accounts.Count, 0, doubled);
    }

    private static async Task<HashSet<Guid>> ListedAsync(HttpClient query)
    {
        var listed = new HashSet<Guid>();
        for (var after = Guid.Empty; ;)
        {
            var page = (await query.GetFromJsonAsync<JsonArray>($"accounts?limit=1000&after={after}"))!;
            foreach (var document in page) listed.Add(after = document!["id"]!.GetValue<Guid>());
            if (page.Count < 1000) return listed;
        }
    }

    /// <summary>The events of all these accounts came to the test's own queue. None of anybody else.</summary>
    public async Task PublishedAsync(IReadOnlySet<Guid> accounts, TimeSpan? within = null)
    {
        var heard = new HashSet<Guid>();
        await using var channel = await system.Broker.OpenChannelAsync(Wait.Token);
        await Wait.UntilAsync(async () =>
        {
            while (await channel.BasicGetAsync(OwnQueue, autoAck: true) is { } delivery)
                heard.Add(JsonNode.Parse(delivery.Body.Span)!["AccountId"]!.GetValue<Guid>());
            return accounts.IsSubsetOf(heard);
        }, "every account's event was published", within ?? Patience);
        Assert.Equal(accounts.Order(), heard.Order());
    }

    /// <summary>The accounts of all mails that the provider was handed, by their Message-Ids (<c>&lt;activation.ID@…&gt;</c>).</summary>
    private List<Guid> Mailed() => [.. smtp.Mails.Select(mail => Guid.Parse(mail.MessageId.Split('.', '@')[1]))];

    private async Task<uint> MessagesInErrorAsync()
    {
        await using var channel = await system.Broker.OpenChannelAsync(Wait.Token);
        return await channel.MessageCountAsync(Topology.Error);
    }
}
