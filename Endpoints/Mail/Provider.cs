using System.Diagnostics.Metrics;

namespace Signup.Mail;

/// <summary>What this process knows of the mail provider: whether it is in trouble, and how many connections it allows.</summary>
public sealed partial class Provider : IDisposable
{
    private static readonly TimeSpan NarrowFor = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly MailSettings _settings;
    private readonly SmtpSettings _smtp;
    private readonly TimeProvider _time;
    private readonly ILogger<Provider> _logger;
    private readonly Meter _meter;
    private readonly Counter<long> _mails;
    private Breaker _breaker = Breaker.Closed;
    private DateTimeOffset _since;
    private DateTimeOffset? _served;
    private int _allowed;
    private DateTimeOffset _widenAt;

    public Provider(MailSettings settings, SmtpSettings smtp, TimeProvider time, ILogger<Provider> logger, IMeterFactory meters)
    {
        (_settings, _smtp, _time, _logger, _allowed) = (settings, smtp, time, logger, settings.Connections);
        _since = time.GetUtcNow();
        _meter = meters.Create("Signup.Mail");
        _mails = _meter.CreateCounter<long>("signup.mail.attempts", "{mail}", "Attempts to hand a mail to the provider, by outcome, and by reason where it did not take it");
        _meter.CreateObservableGauge("signup.mail.breaker", () => Breaker.IsOpen ? 1 : 0, description: "0 mails flow, 1 the provider is in trouble");
        _meter.CreateObservableGauge("signup.mail.connections", () => Connections, "{connection}", "Connections to the provider that may be used at once");
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

    /// <summary>How many may be used at once. A provider that refuses a further one while it serves others gets one fewer for a while.</summary>
    public int Connections
    {
        get
        {
            lock (_lock)
            {
                if (_time.GetUtcNow() >= _widenAt) _allowed = _settings.Connections;
                return _allowed;
            }
        }
    }

    /// <summary>One mail may go, to see.</summary>
    public bool MayProbe
    {
        get { lock (_lock) return _breaker.IsOpen && _time.GetUtcNow() >= _breaker.ProbeAt; }
    }

    /// <summary>What became of an attempt.</summary>
    /// <param name="domain">Where the mail was to go.</param>
    public void Answered(Outcome outcome, string domain)
    {
        _mails.Add(1, new("outcome", outcome.GetType().Name.ToLowerInvariant()), new("reason", outcome.Reason.Length > 0 ? outcome.Reason : "none"));
        Breaker before, after;
        TimeSpan lasted;
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
            if (outcome is not (Outcome.Trouble or Outcome.Interrupted)) _served = now;
            if (before.IsOpen != after.IsOpen) _since = now;
            // All connections were refused alike, so it was not their number.
            if (after.IsOpen) _widenAt = default;
        }
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

    [LoggerMessage(Level = LogLevel.Information, Message = "The mail provider works again after {Lasted}. Mails are sent")]
    private static partial void Resumed(ILogger logger, TimeSpan lasted);
}
