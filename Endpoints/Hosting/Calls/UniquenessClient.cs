using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Signup.EventLog;
using Signup.Hosting.Http;
using Signup.Hosting.Operations;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Uniqueness;

namespace Signup.Hosting.Calls;

/// <summary>
/// Asks Uniqueness for verdicts by a call, while the command that led to the proposal is still the broker's: a message saved, and the wait for a disk. Proposals that come while a call is under way
/// share the next one. A call may get lost, or be decided and its answer lost: the same proposal again gets its first answer, so whoever hears nothing sends it to the queue, where nothing is lost.
/// </summary>
public sealed partial class UniquenessClient : IDisposable
{
    /// <summary>Longer, by half already, than a transaction that waits for another's claim; shorter than anybody who has signed up waits.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    /// <summary>So long all goes to the queue after a call without an answer, in milliseconds: not everybody shall wait for what is frozen.</summary>
    private const int Pause = 10_000;

    private const int MaxBatch = 128;

    private static readonly TimeSpan RehearsalPause = TimeSpan.FromMilliseconds(50);

    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly HttpClient _http;
    private readonly string _addresses;
    private readonly ILogger _logger;
    private readonly GroupCommit<CausedProposal, Verdict?> _calls;

    /// <summary>In milliseconds since the machine was started; 0 while calls are answered.</summary>
    private long _pausesUntil;

    /// <param name="addresses">Of the <see cref="Instances"/>.</param>
    /// <param name="key">As the setting <c>Uniqueness:ApiKey</c> says.</param>
    public UniquenessClient(IReadOnlyList<Uri> addresses, string? key, ILogger<UniquenessClient> logger)
    {
        _logger = logger;
        _addresses = string.Join(", ", addresses);
        _http = new HttpClient(new Instances(addresses, Timeout)) { BaseAddress = addresses[0], Timeout = Timeout };
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

    /// <summary>Asks for a verdict of which nothing is kept, until that is answered. See <see cref="RehearsalServices.AddRehearsal"/>.</summary>
    /// <exception cref="InvalidOperationException">It would not be accepted, or cannot be decided now.</exception>
    public async Task RehearseAsync(ProposeEvent proposal, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                var verdicts = await PostAsync("/proposals/rehearsal", [new(proposal, Cause.Capture())], cancellation);
                if (verdicts[0] is not { Outcome: VerdictOutcome.Accepted }) throw new InvalidOperationException("Uniqueness would not accept, or cannot decide, what is rehearsed with.");
                return;
            }
            // It may be starting, too.
            catch (HttpRequestException e) when (e.StatusCode is null)
            {
                await Task.Delay(RehearsalPause, cancellation);
            }
        }
    }

    public void Dispose() => _http.Dispose();

    private bool IsPausing => Environment.TickCount64 < _pausesUntil;

    private async Task<IReadOnlyList<Verdict?>> CallAsync(IReadOnlyList<CausedProposal> proposals)
    {
        // They came while a call was under way that failed.
        if (IsPausing) return new Verdict?[proposals.Count];
        try
        {
            var verdicts = await PostAsync("/proposals", [.. proposals], CancellationToken.None);
            if (_pausesUntil != 0) Answers(_logger);
            _pausesUntil = 0;
            return verdicts;
        }
        catch (Exception e)
        {
            if (_pausesUntil == 0) DoesNotAnswer(_logger, _addresses, e.Message);
            _pausesUntil = Environment.TickCount64 + Pause;
            return new Verdict?[proposals.Count];
        }
    }

    private async Task<Verdict?[]> PostAsync(string path, CausedProposal[] proposals, CancellationToken cancellation)
    {
        using var body = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(proposals, Wire.Json)) { Headers = { ContentType = Json } };
        using var response = await _http.PostAsync(path, body, cancellation);
        response.EnsureSuccessStatusCode();
        var verdicts = await response.Content.ReadFromJsonAsync<Verdict?[]>(Wire.Json, cancellation);
        return verdicts?.Length == proposals.Length ? verdicts : throw new JsonException("There must be as many verdicts as proposals.");
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Uniqueness does not answer at {Addresses}, so proposals go to its queue: {Reason}")]
    private static partial void DoesNotAnswer(ILogger logger, string addresses, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Uniqueness answers again")]
    private static partial void Answers(ILogger logger);
}

public static class UniquenessClientServices
{
    /// <summary>For an endpoint whose handlers propose. Where the setting <c>Uniqueness:Url</c> is not there, all proposals go to the queue.</summary>
    /// <param name="rehearsed">What its handlers propose, for nobody.</param>
    public static void AddUniquenessClient(this IServiceCollection services, IConfiguration settings, Func<ProposeEvent> rehearsed)
    {
        if (string.IsNullOrEmpty(settings["Uniqueness:Url"])) return;
        var addresses = Settings.Urls(settings, "Uniqueness:Url");
        services.AddSingleton(s => new UniquenessClient(addresses, settings["Uniqueness:ApiKey"], s.GetRequiredService<ILogger<UniquenessClient>>()));
        services.AddRehearsal((s, cancellation) => s.GetRequiredService<UniquenessClient>().RehearseAsync(rehearsed(), cancellation));
    }
}
