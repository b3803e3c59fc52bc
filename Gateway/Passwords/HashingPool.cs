using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Options;

namespace Signup.Gateway.Passwords;

/// <summary>More passwords are waiting than can be hashed in a time that people wait.</summary>
public sealed class HashingBusyException(TimeSpan retryAfter) : Exception("Too many passwords wait to be hashed.")
{
    public TimeSpan RetryAfter { get; } = retryAfter;
}

/// <summary>
/// Hashes passwords on threads of its own, one per processor. A burst queues, so that it neither takes the threads that answer requests, nor
/// more memory than there is: each hash in work needs all of <see cref="HashingSettings.MemoryKiB"/>.
/// <para>
/// While more wait, those that are done are handed out together: sign-ups that come together share messages, transactions and waits for the disk all
/// the way, and what that spares of the processors is spent on hashing. All wait less for it. Where nobody waits, nobody is held up.
/// </para>
/// </summary>
public sealed class HashingPool : IDisposable
{
    private sealed record Job(string Password, byte[] Salt, long QueuedAt, TaskCompletionSource<string> Result, CancellationToken Cancellation);

    private readonly BlockingCollection<Job> _queue;
    private readonly List<(Job Job, string Hash)> _done = [];
    private long _firstDoneAt;
    private readonly PasswordHasher _hasher;
    private readonly GatewayMetrics _metrics;
    private readonly int _parallel;
    private readonly TimeSpan _together;
    private long _lastTicks = TimeSpan.TicksPerMillisecond;

    public HashingPool(PasswordHasher hasher, IOptions<HashingSettings> settings, GatewayMetrics metrics)
    {
        (_hasher, _metrics) = (hasher, metrics);
        _queue = new BlockingCollection<Job>(settings.Value.QueueLimit);
        _parallel = settings.Value.Parallel > 0 ? settings.Value.Parallel : Environment.ProcessorCount;
        _together = settings.Value.Together;
        metrics.ObserveHashQueue(() => _queue.Count);
        for (var i = 0; i < _parallel; i++)
            new Thread(Work) { IsBackground = true, Name = $"password hashing {i}" }.Start();
    }

    /// <exception cref="HashingBusyException">The queue is full. Nothing was kept.</exception>
    public Task<string> HashAsync(string password, byte[] salt, CancellationToken cancellation)
    {
        var job = new Job(password, salt, Stopwatch.GetTimestamp(), new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously), cancellation);
        if (!_queue.TryAdd(job)) throw new HashingBusyException(TimeToDrain());
        return job.Result.Task;
    }

    public void Dispose() => _queue.CompleteAdding();

    private TimeSpan TimeToDrain() => TimeSpan.FromTicks(_queue.Count * Interlocked.Read(ref _lastTicks) / _parallel);

    private void Work()
    {
        foreach (var job in _queue.GetConsumingEnumerable())
        {
            // Whoever has gone away needs no hash.
            if (job.Cancellation.IsCancellationRequested) job.Result.TrySetCanceled(job.Cancellation);
            else Hash(job);
            HandOut();
        }
    }

    private void Hash(Job job)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            var hash = _hasher.Hash(job.Password, job.Salt);
            Measure(job, started);
            lock (_done)
            {
                if (_done.Count == 0) _firstDoneAt = Stopwatch.GetTimestamp();
                _done.Add((job, hash));
            }
        }
        catch (Exception e)
        {
            Measure(job, started);
            job.Result.TrySetException(e);
        }
    }

    private void HandOut()
    {
        (Job Job, string Hash)[] done;
        lock (_done)
        {
            // Where one takes long, the next to look may come late.
            var slow = TimeSpan.FromTicks(Interlocked.Read(ref _lastTicks)) > _together / 4;
            if (_queue.Count > 0 && !slow && Stopwatch.GetElapsedTime(_firstDoneAt) < _together) return;
            done = [.. _done];
            _done.Clear();
        }
        foreach (var (job, hash) in done) job.Result.TrySetResult(hash);
    }

    private void Measure(Job job, long started)
    {
        var took = Stopwatch.GetElapsedTime(started);
        Interlocked.Exchange(ref _lastTicks, took.Ticks);
        _metrics.Hashed(Stopwatch.GetElapsedTime(job.QueuedAt, started), took);
    }
}
