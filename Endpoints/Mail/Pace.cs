namespace Signup.Mail;

/// <summary>
/// How many mails to have in hand: as many as went out in the last half second. A fast provider is kept busy while more are being taken and others
/// recorded; before a slow one few wait, and all are sent long before their lease ends.
/// </summary>
public sealed class Pace
{
    private static readonly TimeSpan Measured = TimeSpan.FromMilliseconds(250), Ahead = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();
    private readonly int _least, _most;
    private readonly TimeProvider _time;
    private long _since;
    private int _sent;
    private int _inHand;

    public Pace(int least, int most, TimeProvider time) =>
        (_least, _most, _inHand, _time, _since) = (least, most, least, time, time.GetTimestamp());

    /// <summary>A mail's fate is known.</summary>
    public void Sent() => Interlocked.Increment(ref _sent);

    public int InHand
    {
        get
        {
            lock (_lock)
            {
                var passed = _time.GetElapsedTime(_since);
                if (passed < Measured) return _inHand;
                var sent = Interlocked.Exchange(ref _sent, 0);
                _since = _time.GetTimestamp();
                return _inHand = (int)Math.Clamp(sent * (Ahead / passed), _least, _most);
            }
        }
    }
}
