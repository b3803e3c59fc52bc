using Signup.Hosting.ServiceControl;

namespace Signup.Gateway.Ops;

/// <summary>Sends everything in the queue <c>error</c> to where it failed.</summary>
internal static class RetryAll
{
    /// <summary>Goes on until nothing is left that had failed before now. What fails again meanwhile stays for another look: it would fail without end.</summary>
    /// <returns>What has become of it, for the operator.</returns>
    public static async Task<string> RunAsync(ErrorQueue error, TimeProvider time, string by, CancellationToken cancellation)
    {
        var click = time.GetUtcNow();
        var done = 0;
        var stuck = new HashSet<Guid>();
        var view = await error.LookAsync(cancellation);
        // Times are told by the clocks of those who failed; one that is late must not make this endless.
        for (var most = view.Depth; done < most; view = await error.LookAsync(cancellation))
        {
            var next = view.Messages.Where(m => !(m.FailedAt >= click) && !stuck.Contains(m.FailureId)).Select(m => m.FailureId).ToList();
            if (next.Count == 0) break;
            foreach (var failure in next)
                switch (await error.RetryAsync(failure, by, cancellation))
                {
                    case ActOutcome.Done: done++; break;
                    case ActOutcome.Gone: break;
                    case ActOutcome.NoSuchQueue: stuck.Add(failure); break;
                    default: return $"{done} sent to their queues again, then RabbitMQ could not be reached. Nothing was lost; try again.";
                }
        }
        if (view.Trouble is { } trouble) return $"{done} sent to their queues again. {trouble}";
        return stuck.Count == 0 ? $"{done} sent to their queues again." : $"{done} sent to their queues again, {stuck.Count} could not be: the queues they failed in do not exist.";
    }
}
