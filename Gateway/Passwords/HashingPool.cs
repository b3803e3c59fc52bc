using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;

namespace Signup.Gateway.Passwords;

/// <summary>More passwords are waiting than can be hashed in a time that people wait.</summary>
public sealed class HashingBusyException(TimeSpan retryAfter) : Exception("Too many passwords wait to be hashed.")
{
    public TimeSpan RetryAfter { get; } = retryAfter;
}

/// <summary>
/// Hashes passwords on threads of its own, one per processor. A burst queues, so that it neither takes the threads that answer requests, nor
/// more memory than there is: each hash in work needs all of <see cref="HashingCost.MemoryKiB"/>.
/// </summary>
public sealed class HashingPool : IDisposable
{
    private sealed record Job(string Password, byte[] Salt, HashingCost? Cost, long QueuedAt, TaskCompletionSource<string> Result, CancellationToken Cancellation);

    private readonly BlockingCollection<Job> _queue;
    private readonly PasswordHasher _hasher;
    private readonly GatewayMetrics _metrics;
    private readonly int _parallel;
    private long _lastTicks = TimeSpan.TicksPerMillisecond;

    public HashingPool(PasswordHasher hasher, IOptions<HashingSettings> settings, GatewayMetrics metrics)
    {
        (_hasher, _metrics) = (hasher, metrics);
        _queue = new BlockingCollection<Job>(settings.Value.QueueLimit);
        _parallel = settings.Value.Parallel > 0 ? settings.Value.Parallel : Environment.ProcessorCount;
        metrics.ObserveHashQueue(() => _queue.Count);
        for (var i = 0; i < _parallel; i++)
            new Thread(Work) { IsBackground = true, Name = $"password hashing {i}" }.Start();
    }

    /// <param name="cost">Other than the setting says.</param>
    /// <exception cref="HashingBusyException">The queue is full. Nothing was kept.</exception>
    public Task<string> HashAsync(string password, byte[] salt, CancellationToken cancellation, HashingCost? cost = null)
    {
        var job = new Job(password, salt, cost, Stopwatch.GetTimestamp(), new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously), cancellation);
        if (!_queue.TryAdd(job)) throw new HashingBusyException(TimeToDrain());
        return job.Result.Task;
    }

    /// <summary>With a salt that nobody has had.</summary>
    /// <exception cref="HashingBusyException">The queue is full. Nothing was kept.</exception>
    public Task<string> HashAnewAsync(string password, CancellationToken cancellation) => HashAsync(password, RandomNumberGenerator.GetBytes(DerivedKeys.SaltLength), cancellation);

    public void Dispose() => _queue.CompleteAdding();

    private TimeSpan TimeToDrain() => TimeSpan.FromTicks(_queue.Count * Interlocked.Read(ref _lastTicks) / _parallel);

    private void Work()
    {
        foreach (var job in _queue.GetConsumingEnumerable())
        {
            // Whoever has gone away needs no hash.
            if (job.Cancellation.IsCancellationRequested)
            {
                job.Result.TrySetCanceled(job.Cancellation);
                continue;
            }
            var started = Stopwatch.GetTimestamp();
            try
            {
                var hash = _hasher.Hash(job.Password, job.Salt, job.Cost);
                Measure(job, started);
                job.Result.TrySetResult(hash);
            }
            catch (Exception e)
            {
                Measure(job, started);
                job.Result.TrySetException(e);
            }
        }
    }

    private void Measure(Job job, long started)
    {
        var took = Stopwatch.GetElapsedTime(started);
        Interlocked.Exchange(ref _lastTicks, took.Ticks);
        _metrics.Hashed(Stopwatch.GetElapsedTime(job.QueuedAt, started), took);
    }
}
