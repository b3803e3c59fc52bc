using System.Diagnostics.Metrics;

namespace Signup.Mail;

/// <summary>What this process knows of the mail provider: whether it is in trouble, how fast it takes mails, and over how many connections.</summary>
public sealed partial class Provider : IDisposable
{
    private static readonly TimeSpan NarrowFor = TimeSpan.FromMinutes(1);

    /// <summary>A mail that was taken does not wait longer for its turn, however many connections there are: others could send it meanwhile.</summary>
    private static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly MailSettings _settings;
    private readonly SmtpSettings _smtp;
    private readonly TimeProvider _time;
    private readonly ILogger<Provider> _logger;
    private readonly Meter _meter;
    private readonly Counter<long> _mails;
    private Breaker _breaker = Breaker.Closed;
    private Pace _pace;
    private DateTimeOffset _since;
    private DateTimeOffset? _served;
    private int _allowed;
    private DateTimeOffset _widenAt;

    public Provider(MailSettings settings, SmtpSettings smtp, TimeProvider time, ILogger<Provider> logger, IMeterFactory meters)
    {
        (_settings, _smtp, _time, _logger, _allowed) = (settings, smtp, time, logger, settings.Connections);
        _since = time.GetUtcNow();
        _pace = new Pace(settings.MailsPerSecond > 0 ? settings.MailsPerSecond : double.PositiveInfinity);
        _meter = meters.Create("Signup.Mail");
        _mails = _meter.CreateCounter<long>("signup.mail.attempts", "{mail}", "Attempts to hand a mail to the provider, by outcome, and by reason where it did not take it");
        _meter.CreateObservableGauge("signup.mail.breaker", () => Breaker.IsOpen ? 1 : 0, description: "0 mails flow, 1 the provider is in trouble");
        _meter.CreateObservableGauge("signup.mail.connections", () => Connections, "{connection}", "Connections to the provider that may be used at once");
        _meter.CreateObservableGauge("signup.mail.pace", () => PerSecond ?? 0, "{mail}/s", "The most mails a second that go to the provider; 0: as fast as it goes");
    }

    public Breaker Breaker
    {
        get { lock (_lock) return _breaker; }
    }

    /// <summary>Since when mails flow, or do not.</summary>
    public DateTimeOffset Since
    {
        get { lock (_lock) return _since; }
    }

    /// <summary>The most mails a second; null: as fast as it goes.</summary>
    public double? PerSecond
    {
        get { lock (_lock) return _pace.PerSecond(_time.GetUtcNow()) is var most && double.IsFinite(most) ? most : null; }
    }

    /// <summary>The provider said that mails come too fast.</summary>
    public bool IsSlowed
    {
        get { lock (_lock) return _pace.IsSlowed(_time.GetUtcNow()); }
    }

    /// <summary>How many may be used at once. A provider that refuses a further one while it serves others gets one fewer for a while; and where mails go slowly there are
    /// no more than can be of use.</summary>
    public int Connections
    {
        get
        {
            lock (_lock)
            {
                var now = _time.GetUtcNow();
                if (now >= _widenAt) _allowed = _settings.Connections;
                return (int)Math.Clamp(_pace.PerSecond(now) * LongestTurn.TotalSeconds, 1, _allowed);
            }
        }
    }

    /// <summary>One mail may go, to see.</summary>
    public bool MayProbe
    {
        get { lock (_lock) return _breaker.IsOpen && _time.GetUtcNow() >= _breaker.ProbeAt; }
    }

    /// <summary>Waits until one more mail may go.</summary>
    public Task TurnAsync(CancellationToken cancellation)
    {
        TimeSpan wait;
        lock (_lock) _pace = _pace.Take(_time.GetUtcNow(), out wait);
        return wait > TimeSpan.Zero ? Task.Delay(wait, _time, cancellation) : Task.CompletedTask;
    }

    /// <summary>What became of an attempt.</summary>
    /// <param name="domain">Where the mail was to go.</param>
    public void Answered(Outcome outcome, string domain)
    {
        _mails.Add(1, new("outcome", outcome.GetType().Name.ToLowerInvariant()), new("reason", outcome.Reason.Length > 0 ? outcome.Reason : "none"));
        Breaker before, after;
        TimeSpan lasted;
        double? slowed = null;
        lock (_lock)
        {
            var now = _time.GetUtcNow();
            if (outcome is Outcome.Trouble { Connecting: true } && IsItTheNumber(now)) return;
            (before, lasted) = (_breaker, now - _since);
            _breaker = after = outcome switch
            {
                Outcome.Trouble trouble => before.Troubled(trouble.Reason, now, _settings.ProbeFirst, _settings.ProbeCap),
                Outcome.PutOff or Outcome.Refused { Sure: false } => before.Failed(outcome.Reason, domain, answered: true, now, _settings.ProbeFirst, _settings.ProbeCap),
                Outcome.Interrupted => before.Failed(outcome.Reason, domain, answered: false, now, _settings.ProbeFirst, _settings.ProbeCap),
                _ => before.Succeeded(),
            };
            if (outcome is Outcome.TooFast tooFast)
            {
                var wasSlowed = _pace.IsSlowed(now);
                _pace = _pace.TooFast(tooFast.Named ? domain : null, now);
                if (!wasSlowed && _pace.IsSlowed(now)) slowed = _pace.PerSecond(now);
            }
            if (outcome is not (Outcome.Trouble or Outcome.Interrupted)) _served = now;
            if (before.IsOpen != after.IsOpen) _since = now;
            // All connections were refused alike, so it was not their number.
            if (after.IsOpen) _widenAt = default;
        }
        if (slowed is { } perSecond) SlowedDown(_logger, outcome.Reason, perSecond);
        if (!before.IsOpen && after.IsOpen) Opened(_logger, after.Reason, after.Pause);
        else if (before.IsOpen && !after.IsOpen) Resumed(_logger, lasted);
    }

    public void Dispose() => _meter.Dispose();

    private bool IsItTheNumber(DateTimeOffset now)
    {
        if (_breaker.IsOpen || _allowed == 1 || !(_served >= now - _smtp.Timeout)) return false;
        _allowed--;
        _widenAt = now + NarrowFor;
        return true;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The mail provider is in trouble ({Reason}). No mail is sent but one at a time to see, the first in {Pause}")]
    private static partial void Opened(ILogger logger, string reason, TimeSpan pause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The mail provider says that mails come too fast ({Reason}). They go at {PerSecond:0.#} a second, and twice as fast again with every half minute. Mail:MailsPerSecond sets a limit of your own")]
    private static partial void SlowedDown(ILogger logger, string reason, double perSecond);

    [LoggerMessage(Level = LogLevel.Information, Message = "The mail provider works again after {Lasted}. Mails are sent")]
    private static partial void Resumed(ILogger logger, TimeSpan lasted);
}
