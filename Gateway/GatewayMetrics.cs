using System.Diagnostics.Metrics;

namespace Signup.Gateway;

/// <summary>What operators see of the gateway. Durations are in seconds.</summary>
public sealed class GatewayMetrics
{
    public const string MeterName = "Signup.Gateway";

    private readonly Counter<long> _signUps, _signIns;
    private readonly Histogram<double> _verdict, _hashWait, _hash;
    private readonly Meter _meter;

    public GatewayMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _signUps = _meter.CreateCounter<long>("signup.sign_ups", "{sign-up}", "Sign-ups, by outcome.");
        _signIns = _meter.CreateCounter<long>("signup.sign_ins", "{sign-in}", "Sign-ins, by outcome.");
        _verdict = _meter.CreateHistogram<double>("signup.verdict.duration", "s", "From the command's hand-over to its verdict.");
        _hashWait = _meter.CreateHistogram<double>("signup.password_hash.wait", "s", "How long a password waited for a hashing thread.");
        _hash = _meter.CreateHistogram<double>("signup.password_hash.duration", "s", "How long hashing one password took.");
    }

    public void SignedUp(string outcome) => _signUps.Add(1, new KeyValuePair<string, object?>("signup.outcome", outcome));
    public void SignedIn(string outcome) => _signIns.Add(1, new KeyValuePair<string, object?>("signup.outcome", outcome));
    public void Decided(TimeSpan after) => _verdict.Record(after.TotalSeconds);
    public void Hashed(TimeSpan waited, TimeSpan took) { _hashWait.Record(waited.TotalSeconds); _hash.Record(took.TotalSeconds); }
    public void ObserveHashQueue(Func<int> length) => _meter.CreateObservableGauge("signup.password_hash.queue", length, "{password}", "Passwords that wait to be hashed.");
}
