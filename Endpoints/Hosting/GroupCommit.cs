using System.Threading.Channels;
using Signup.Hosting.Handling;
using Signup.Hosting.Operations;

namespace Signup.Hosting;

/// <summary>
/// Lets many callers share one transaction. Items that arrive while a batch is being committed form the next batch; nobody waits for a timer, so
/// a lone caller pays nothing for it. Each caller gets its own result after the commit, or the exception that prevented it.
/// </summary>
/// <param name="commit">Commits a batch and returns one result per item, in order.</param>
/// <param name="maxBatch">The most items in one transaction.</param>
public sealed class GroupCommit<TItem, TResult>(Func<IReadOnlyList<TItem>, Task<IReadOnlyList<TResult>>> commit, int maxBatch)
{
    private readonly Channel<Entry> _queue = Channel.CreateUnbounded<Entry>(new UnboundedChannelOptions { SingleReader = true });
    private int _running;

    /// <summary>How many wait is bounded by how many call: by the prefetch of a queue, or the connections of a server.</summary>
    public async Task<TResult> SubmitAsync(TItem item)
    {
        using var activity = Tracing.Source.StartActivity("commit");
        var entry = new Entry(item);
        _queue.Writer.TryWrite(entry);
        EnsureRunning();
        return await entry.Done.Task;
    }

    private void EnsureRunning()
    {
        if (Interlocked.CompareExchange(ref _running, 1, 0) == 0) _ = Task.Run(RunAsync);
    }

    private async Task RunAsync()
    {
        var batch = new List<Entry>(maxBatch);
        do
        {
            while (TakeBatch(batch)) await CommitAsync(batch);
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
