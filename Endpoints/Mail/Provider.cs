using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Signup.Mail;

/// <summary>What this process knows of the mail provider: the breaker, and those who need to hear of its changes.</summary>
public sealed partial class Provider : IHealthCheck, IDisposable
{
    private readonly Lock _lock = new();
    private readonly MailSettings _settings;
    private readonly Activations _activations;
    private readonly TimeProvider _time;
    private readonly ILogger<Provider> _logger;
    private readonly Meter _meter;
    private readonly Counter<long> _mails;
    private Breaker _breaker = Breaker.Closed;
    private DateTimeOffset _since;
    private DateTimeOffset? _served;
    private Func<int> _inHand = () => 0;

    public Provider(MailSettings settings, Activations activations, TimeProvider time, ILogger<Provider> logger, IMeterFactory meters)
    {
        (_settings, _activations, _time, _logger) = (settings, activations, time, logger);
        _since = time.GetUtcNow();
        _meter = meters.Create("Signup.Mail");
        _mails = _meter.CreateCounter<long>("signup.mail.attempts", "{mail}", "Attempts to hand a mail to the provider, by outcome, and by reason where it did not take it");
        _meter.CreateObservableGauge("signup.mail.breaker", () => (int)Breaker.State, description: "0 mails flow, 1 the provider is in trouble, 2 one mail is on its way to see");
    }

    public Breaker Breaker
    {
        get { lock (_lock) return _breaker; }
    }

    /// <summary>Shows in metrics, and in the health check, how much is going on.</summary>
    public void Watch(Func<int> connections, Func<int> inHand)
    {
        _inHand = inHand;
        _meter.CreateObservableGauge("signup.mail.connections", connections, "{connection}", "Connections to the provider that may be used at once");
        _meter.CreateObservableGauge("signup.mail.in_hand", inHand, "{mail}", "Mails that this process has taken to send, and not recorded yet");
    }

    /// <summary>How many mails may be taken now, and for how long none may.</summary>
    /// <param name="free">How many could be worked on.</param>
    public (int Mails, TimeSpan Pause) Allowance(int free)
    {
        lock (_lock)
        {
            var now = _time.GetUtcNow();
            return _breaker.State switch
            {
                BreakerState.Closed => (free, TimeSpan.Zero),
                BreakerState.Open when now >= _breaker.ProbeAt => (Math.Min(1, free), TimeSpan.Zero),
                BreakerState.Open => (0, _breaker.ProbeAt - now),
                _ => (0, _settings.ProbeCap),
            };
        }
    }

    /// <summary>Whether a mail that was taken may be sent. While the provider is in trouble, one may, when a probe is due.</summary>
    public bool MaySend()
    {
        lock (_lock)
        {
            if (_breaker.State == BreakerState.Closed) return true;
            var probing = _breaker.Probe(_time.GetUtcNow());
            if (_breaker.State == BreakerState.Probing || probing.State != BreakerState.Probing) return false;
            _breaker = probing;
            return true;
        }
    }

    /// <summary>Whether it has answered for a mail since then, as a provider does that works.</summary>
    public bool HasServedSince(DateTimeOffset then)
    {
        lock (_lock) return _breaker.State == BreakerState.Closed && _served >= then;
    }

    /// <returns>False where it is in trouble.</returns>
    public bool Answered(Outcome outcome)
    {
        _mails.Add(1, new("outcome", outcome.GetType().Name.ToLowerInvariant()), new("reason", outcome switch
        {
            Outcome.Refused refused => refused.Reason,
            Outcome.PutOff putOff => putOff.Reason,
            Outcome.Trouble trouble => trouble.Reason,
            _ => "none",
        }));
        Breaker before, after;
        TimeSpan lasted;
        lock (_lock)
        {
            var now = _time.GetUtcNow();
            before = _breaker;
            _breaker = after = outcome is Outcome.Trouble trouble
                ? _breaker.Troubled(trouble.Reason, trouble.InMail, now, _settings.ProbeFirst, _settings.ProbeCap)
                : _breaker.Succeeded();
            if (outcome is not Outcome.Trouble) _served = now;
            lasted = now - _since;
            if (IsClosed(before) != IsClosed(after)) _since = now;
        }
        if (IsClosed(before) && !IsClosed(after)) Opened(_logger, after.Reason, after.Pause);
        else if (!IsClosed(before) && IsClosed(after)) Resumed(_logger, lasted);
        return IsClosed(after);
    }

    /// <summary>The endpoint is ready in any case: sign-ups are taken in, and their mails wait in the database.</summary>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var breaker = Breaker;
        var data = new Dictionary<string, object> { ["breaker"] = IsClosed(breaker) ? "closed" : "open", ["inHand"] = _inHand() };
        try
        {
            data["waiting"] = await _activations.BacklogAsync(cancellationToken);
        }
        catch (NpgsqlException)
        {
            // There is a check for the database.
        }
        if (IsClosed(breaker)) return HealthCheckResult.Healthy("Mails flow.", data);
        (data["reason"], data["since"], data["nextProbe"]) = (breaker.Reason, _since, breaker.ProbeAt);
        return HealthCheckResult.Degraded("The mail provider is in trouble; mails wait, and will be sent.", data: data);
    }

    public void Dispose() => _meter.Dispose();

    private static bool IsClosed(Breaker breaker) => breaker.State == BreakerState.Closed;

    [LoggerMessage(Level = LogLevel.Warning, Message = "The mail provider is in trouble ({Reason}). No mail is sent but one at a time to see, the first in {Pause}")]
    private static partial void Opened(ILogger logger, string reason, TimeSpan pause);

    [LoggerMessage(Level = LogLevel.Information, Message = "The mail provider works again after {Lasted}. Mails are sent")]
    private static partial void Resumed(ILogger logger, TimeSpan lasted);
}
