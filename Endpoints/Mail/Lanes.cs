namespace Signup.Mail;

/// <summary>
/// How many connections to the provider are used at once: one, and twice as many for every second that mails wait, up to the most. A provider that
/// refuses a further connection while it serves others gets one fewer for a while. Each connection that a crash cuts may cost
/// a mail sent twice, so there are no more than it takes.
/// </summary>
public sealed class Lanes : IDisposable
{
    private static readonly TimeSpan WidenAfter = TimeSpan.FromSeconds(1), HoldAfterRefusal = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly int _first, _most;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _free;
    private int _allowed;
    private DateTimeOffset? _waitingSince;
    private DateTimeOffset _holdUntil;

    /// <param name="first">How many there are at first, and at least; 1 or more.</param>
    public Lanes(int first, int most, TimeProvider time)
    {
        (_first, _most, _time, _allowed) = (first, most, time, first);
        _free = new SemaphoreSlim(first);
    }

    /// <summary>How many there may be now.</summary>
    public int Allowed
    {
        get { lock (_lock) return _allowed; }
    }

    /// <summary>Waits for a lane to use. It is given back by <see cref="Leave"/>, or lost by <see cref="TryNarrow"/>.</summary>
    public Task EnterAsync(CancellationToken cancellation) => _free.WaitAsync(cancellation);

    /// <summary>There has been nothing to send over the caller's lane for a while.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            if (_allowed > _first) _allowed--;
            else _free.Release();
        }
    }

    /// <summary>The caller's lane was refused. Fewer of them may do.</summary>
    /// <returns>False where it is the only one.</returns>
    public bool TryNarrow()
    {
        lock (_lock)
        {
            if (_allowed == 1) return false;
            _allowed--;
            _holdUntil = _time.GetUtcNow() + HoldAfterRefusal;
            return true;
        }
    }

    /// <summary>To be told often.</summary>
    /// <param name="mailsWait">There are mails in hand that no lane is at work on.</param>
    public void Look(bool mailsWait)
    {
        lock (_lock)
        {
            var now = _time.GetUtcNow();
            if (!mailsWait) _waitingSince = null;
            else _waitingSince ??= now;
            if (_waitingSince + WidenAfter > now || _waitingSince is null || now < _holdUntil || _allowed >= _most) return;
            var more = Math.Min(_allowed, _most - _allowed);
            _allowed += more;
            _waitingSince = now;
            _free.Release(more);
        }
    }

    /// <summary>The provider refused all lanes alike, so it was not their number.</summary>
    public void Forgive()
    {
        lock (_lock) _holdUntil = default;
    }

    public void Dispose() => _free.Dispose();
}
