using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Threading.Channels;

namespace Signup.Tests.Chaos;

/// <summary>What the gateway said to a sign-up.</summary>
/// <param name="Id">The account, where there is one or may be.</param>
public sealed record Answer(int Status, Guid? Id);

/// <summary>People who sign up by <c>POST /users</c>, so many at once, each sign-up with an idempotency key of its own.</summary>
public sealed class Crowd : IAsyncDisposable
{
    /// <summary>For a sign-up to be decided after all that happened.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly Channel<Attempt> _next = Channel.CreateUnbounded<Attempt>();
    private readonly ConcurrentDictionary<int, Answer> _answers = new();
    private readonly ConcurrentDictionary<int, int> _counts = new();
    private readonly HttpClient _http;
    private readonly IReadOnlyList<string> _gateways;
    private readonly Task[] _clients;
    private int _answered, _asked;
    private long _longest;

    /// <param name="retry">Whether a client that got 503, or no answer, tries again with the same key, as a well-behaved one does.</param>
    /// <param name="decided">Whether one that was told to wait asks again, too, until it is decided.</param>
    public Crowd(string gateway, int clients, bool retry = true, bool decided = false) : this([gateway], clients, retry, decided)
    {
    }

    /// <param name="gateways">They are asked in turn, as by a proxy in front of them: whoever got no answer asks the next.</param>
    public Crowd(IReadOnlyList<string> gateways, int clients, bool retry, bool decided)
    {
        _gateways = gateways;
        _http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = clients, UseCookies = false }) { Timeout = TimeSpan.FromSeconds(60) };
        _clients = [.. Enumerable.Range(0, clients).Select(_ => Task.Run(() => LiveAsync(retry, decided)))];
    }

    /// <summary>How many sign-ups have had an answer; one that gets several counts once.</summary>
    public int Answered => Volatile.Read(ref _answered);

    /// <summary>How long it took, since this was asked the last time, until the one who waited longest had an answer.</summary>
    public TimeSpan TakeLongest() => TimeSpan.FromTicks(Interlocked.Exchange(ref _longest, 0));

    /// <summary>The latest answer to each sign-up, by its number.</summary>
    public IReadOnlyDictionary<int, Answer> Answers => _answers;

    /// <summary>How often each status was said; 0 stands for a connection that broke.</summary>
    public string Counts => string.Join(", ", _counts.OrderBy(c => c.Key).Select(c => $"{c.Value} × {c.Key}"));

    public int Count(HttpStatusCode status) => _counts.GetValueOrDefault((int)status);

    public void Enter(IEnumerable<Attempt> attempts)
    {
        foreach (var attempt in attempts) _next.Writer.TryWrite(attempt);
    }

    /// <summary>Nobody comes any more; returns when all have had an answer.</summary>
    public Task CloseAsync()
    {
        _next.Writer.TryComplete();
        return Task.WhenAll(_clients);
    }

    /// <summary>Asks the same again, with the same key, until it is decided.</summary>
    public async Task<Answer> DecideAsync(Attempt attempt)
    {
        Answer answer = new(0, null);
        var turn = 0;
        await Wait.UntilAsync(async () => (answer = await SignUpAsync(attempt, turn++)).Status is 201 or 409, $"sign-up {attempt.Number} is decided", Patience);
        return answer;
    }

    /// <summary>As <see cref="DecideAsync"/>, for many at once.</summary>
    public async Task<IReadOnlyDictionary<int, Answer>> DecideAllAsync(IEnumerable<Attempt> attempts)
    {
        var decided = new ConcurrentDictionary<int, Answer>();
        await Parallel.ForEachAsync(attempts, new ParallelOptions { MaxDegreeOfParallelism = _clients.Length },
            async (attempt, _) => decided[attempt.Number] = await DecideAsync(attempt));
        return decided;
    }

    public async ValueTask DisposeAsync()
    {
        _next.Writer.TryComplete();
        _http.CancelPendingRequests();
        await Task.WhenAll(_clients).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _http.Dispose();
    }

    private async Task LiveAsync(bool retry, bool decided)
    {
        await foreach (var attempt in _next.Reader.ReadAllAsync())
        {
            Answer answer = new(0, null);
            var begun = Stopwatch.GetTimestamp();
            var turn = Interlocked.Increment(ref _asked);
            await Wait.UntilAsync(async () => (answer = await SignUpAsync(attempt, turn++)).Status is not (0 or 503) && (answer.Status != 202 || !decided) || !retry, $"sign-up {attempt.Number} is taken", Patience);
            var waited = Stopwatch.GetElapsedTime(begun).Ticks;
            for (var longest = Volatile.Read(ref _longest); waited > longest;) longest = Interlocked.CompareExchange(ref _longest, waited, longest) is var seen && seen == longest ? waited : seen;
            _answers[attempt.Number] = answer;
            Interlocked.Increment(ref _answered);
        }
    }

    private async Task<Answer> SignUpAsync(Attempt attempt, int turn)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(new Uri(_gateways[turn % _gateways.Count]), "users"))
        {
            Content = JsonContent.Create(new { username = attempt.Username, email = attempt.Email, password = attempt.Password }),
        };
        request.Headers.Add("Idempotency-Key", attempt.Key);
        var answer = new Answer(0, null);
        try
        {
            using var response = await _http.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            Guid? id = response.StatusCode switch
            {
                HttpStatusCode.Created => JsonDocument.Parse(text).RootElement.GetProperty("id").GetGuid(),
                HttpStatusCode.Accepted => Guid.Parse(response.Headers.Location!.ToString().Split('/')[^1]),
                HttpStatusCode.Conflict when JsonDocument.Parse(text).RootElement.GetProperty("type").GetString()!.EndsWith("/email-taken", StringComparison.Ordinal) => null,
                HttpStatusCode.ServiceUnavailable => null,
                _ => throw new InvalidOperationException($"Sign-up {attempt.Number} for '{attempt.Email}' got {(int)response.StatusCode}: {text}"),
            };
            answer = new Answer((int)response.StatusCode, id);
        }
        catch (HttpRequestException)
        {
            // The connection broke: as good as no answer.
        }
        _counts.AddOrUpdate(answer.Status, 1, (_, n) => n + 1);
        return answer;
    }
}
