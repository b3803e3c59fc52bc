namespace Signup.Mail;

/// <summary>
/// How many connections to the provider are used at once: one, and twice as many for every second that mails wait, up to the most. A provider that
/// refuses a further connection while it serves others gets one fewer for a while. Each connection that a crash cuts may cost
/// a mail sent twice, so there are no more than it takes.
/// </summary>
/// <param name="most">At least 1.</param>
public sealed class Lanes(int most, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan WidenAfter = TimeSpan.FromSeconds(1), HoldAfterRefusal = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _free = new(1);
    private int _allowed = 1;
    private DateTimeOffset? _waitingSince;
    private DateTimeOffset _holdUntil;

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
            if (_allowed > 1) _allowed--;
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
            _holdUntil = time.GetUtcNow() + HoldAfterRefusal;
            return true;
        }
    }

    /// <summary>To be told often.</summary>
    /// <param name="mailsWait">There are mails in hand that no lane is at work on.</param>
    public void Look(bool mailsWait)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (!mailsWait) _waitingSince = null;
            else _waitingSince ??= now;
            if (_waitingSince + WidenAfter > now || _waitingSince is null || now < _holdUntil || _allowed >= most) return;
            var more = Math.Min(_allowed, most - _allowed);
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
