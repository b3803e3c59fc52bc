using System.Threading.Channels;

namespace Signup.Hosting;

/// <summary>
/// Lets many callers share one transaction. Items that arrive while a batch is being committed form the next batch, so
/// a lone caller pays nothing for it. Each caller gets its own result after the commit, or the exception that prevented it.
/// </summary>
/// <param name="commit">Commits a batch and returns one result per item, in order.</param>
/// <param name="maxBatch">The most items in one transaction.</param>
/// <param name="pause">After a small batch, so that a steady trickle shares transactions, too: for work that nobody waits for. The first after a rest
/// pays nothing for it. Default none.</param>
/// <param name="span">What a caller's waiting is called in its trace; null: it is not in it.</param>
public sealed class GroupCommit<TItem, TResult>(Func<IReadOnlyList<TItem>, Task<IReadOnlyList<TResult>>> commit, int maxBatch, TimeSpan pause = default, string? span = "commit")
{
    /// <summary>A batch of this many gains little by waiting for more.</summary>
    private const int SmallBatch = 16;

    private readonly Channel<Entry> _queue = Channel.CreateUnbounded<Entry>(new UnboundedChannelOptions { SingleReader = true });
    private int _running;

    /// <summary>How many wait is bounded by how many call: by the prefetch of a queue, or the connections of a server.</summary>
    public async Task<TResult> SubmitAsync(TItem item)
    {
        using var activity = span is null ? null : Tracing.Source.StartActivity(span);
        var entry = new Entry(item);
        _queue.Writer.TryWrite(entry);
        EnsureRunning();
        return await entry.Done.Task;
    }

    private void EnsureRunning()
    {
        // Without the context of whoever happens to call first: what follows is for all.
        if (Interlocked.CompareExchange(ref _running, 1, 0) == 0) ThreadPool.UnsafeQueueUserWorkItem(static group => _ = group.RunAsync(), this, preferLocal: false);
    }

    private async Task RunAsync()
    {
        var batch = new List<Entry>(maxBatch);
        do
        {
            while (TakeBatch(batch))
            {
                await CommitAsync(batch);
                if (pause > TimeSpan.Zero && batch.Count < SmallBatch) await Task.Delay(pause);
            }
            Interlocked.Exchange(ref _running, 0);
        }
        // Someone may have come between the last look and the line above.
        while (_queue.Reader.TryPeek(out _) && Interlocked.CompareExchange(ref _running, 1, 0) == 0);
    }

    private bool TakeBatch(List<Entry> batch)
    {
        batch.Clear();
        while (batch.Count < maxBatch && _queue.Reader.TryRead(out var entry)) batch.Add(entry);
        return batch.Count > 0;
    }

    private async Task CommitAsync(List<Entry> batch)
    {
        try
        {
            var results = await commit(batch.ConvertAll(e => e.Item));
            for (var i = 0; i < batch.Count; i++) batch[i].Done.SetResult(results[i]);
        }
        catch (Exception e) when (batch.Count == 1 || Recoverability.IsUnreachable(e))
        {
            foreach (var entry in batch) entry.Done.SetException(e);
        }
        catch
        {
            // One bad item must not fail its neighbours: each gets a transaction, and a fault, of its own.
            foreach (var entry in batch.ToArray()) await CommitAsync([entry]);
        }
    }

    private sealed record Entry(TItem Item)
    {
        public TaskCompletionSource<TResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
