using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Signup.EventLog;
using Signup.Messages.Uniqueness;

namespace Signup.Hosting;

/// <summary>What <see cref="UniquenessClient"/> sends of each proposal.</summary>
/// <param name="Cause">The message that led to it.</param>
public sealed record CausedProposal(ProposeEvent Proposal, Cause Cause);

/// <summary>
/// Asks Uniqueness for verdicts by a call, while the command that led to the proposal is still the broker's: a message saved, and the wait for a disk. Proposals that come while a call is under way
/// share the next one. A call may get lost, or be decided and its answer lost: the same proposal again gets its first answer, so whoever hears nothing sends it to the queue, where nothing is lost.
/// </summary>
public sealed partial class UniquenessClient : IDisposable
{
    /// <summary>Longer than a transaction that waits for another's claim, shorter than anybody who has signed up waits.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    /// <summary>After a call without an answer all goes to the queue for a while, at each failure a longer one.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1), LongestPause = TimeSpan.FromSeconds(30);

    private const int MaxBatch = 128;

    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly HttpClient _http;
    private readonly ILogger _logger;
    private readonly GroupCommit<CausedProposal, Verdict?> _calls;
    private TimeSpan _pause;
    private long _notBefore;

    /// <param name="key">As the setting <c>Uniqueness:ApiKey</c> says.</param>
    public UniquenessClient(Uri url, string? key, ILogger<UniquenessClient> logger)
    {
        _logger = logger;
        // The name may lead to other instances later.
        _http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(1) }) { BaseAddress = url, Timeout = Timeout };
        _http.DefaultRequestHeaders.Add(ApiKey.Header, key);
        _calls = new(CallAsync, MaxBatch);
    }

    /// <returns>Null: it is not known whether it is decided.</returns>
    public async Task<Verdict?> AskAsync(ProposeEvent proposal)
    {
        if (IsPausing) return null;
        using var activity = Tracing.Source.StartActivity("call uniqueness", ActivityKind.Client);
        return await _calls.SubmitAsync(new(proposal, Cause.Capture()));
    }

    public void Dispose() => _http.Dispose();

    private bool IsPausing => _pause > TimeSpan.Zero && Stopwatch.GetTimestamp() < _notBefore;

    private async Task<IReadOnlyList<Verdict?>> CallAsync(IReadOnlyList<CausedProposal> proposals)
    {
        // They came while a call was under way that failed.
        if (IsPausing) return new Verdict?[proposals.Count];
        try
        {
            using var body = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(proposals, Wire.Json)) { Headers = { ContentType = Json } };
            using var response = await _http.PostAsync("/proposals", body);
            response.EnsureSuccessStatusCode();
            var verdicts = await response.Content.ReadFromJsonAsync<Verdict?[]>(Wire.Json);
            if (verdicts?.Length != proposals.Count) throw new JsonException("There must be as many verdicts as proposals.");
            if (_pause > TimeSpan.Zero) Answers(_logger);
            _pause = TimeSpan.Zero;
            return verdicts;
        }
        catch (Exception e)
        {
            if (_pause == TimeSpan.Zero) DoesNotAnswer(_logger, _http.BaseAddress!, e.Message);
            _pause = _pause == TimeSpan.Zero ? FirstPause : _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
            _notBefore = Stopwatch.GetTimestamp() + (long)(_pause.TotalSeconds * Stopwatch.Frequency);
            return new Verdict?[proposals.Count];
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Uniqueness does not answer at {Url}, so proposals go to its queue: {Reason}")]
    private static partial void DoesNotAnswer(ILogger logger, Uri url, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Uniqueness answers again")]
    private static partial void Answers(ILogger logger);
}

public static class UniquenessClientServices
{
    /// <summary>For an endpoint whose handlers propose. Where the setting <c>Uniqueness:Url</c> is not there, all proposals go to the queue.</summary>
    public static void AddUniquenessClient(this IServiceCollection services, IConfiguration settings)
    {
        if (settings["Uniqueness:Url"] is not { Length: > 0 } url) return;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new InvalidOperationException($"The setting Uniqueness:Url is no address: '{url}'. Say it like http://uniqueness:8080.");
        services.AddSingleton(s => new UniquenessClient(address, settings["Uniqueness:ApiKey"], s.GetRequiredService<ILogger<UniquenessClient>>()));
    }
}
