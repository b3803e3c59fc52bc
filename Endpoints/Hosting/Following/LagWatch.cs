namespace Signup.Hosting.Following;

/// <summary>Tells lag that grows from lag that is being made up for: of a history that was imported, a projection may be years behind, and well.</summary>
internal sealed class LagWatch
{
    /// <summary>It grows if it is this much, and was no more this long ago.</summary>
    public static readonly TimeSpan Alarming = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan SampleEvery = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Queue<(TimeSpan At, double Seconds)> _samples = [];

    /// <param name="now">On a clock that only goes forward.</param>
    public bool Grows(TimeSpan now, double seconds)
    {
        lock (_lock)
        {
            if (_samples.Count == 0 || now - _samples.Last().At >= SampleEvery) _samples.Enqueue((now, seconds));
            // The first is the latest of those that are old enough.
            while (_samples.Count > 1 && now - _samples.ElementAt(1).At >= Alarming) _samples.Dequeue();
            var (at, before) = _samples.Peek();
            return now - at >= Alarming && before >= Alarming.TotalSeconds && seconds >= before;
        }
    }
}
