using System.Diagnostics;

namespace Signup.Tests.Fixture;

/// <summary>Waits on conditions, never on time, and never for ever.</summary>
public static class Wait
{
    /// <summary>Less than a test may take in all, so that what is waited for in vain says what it was.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    /// <summary>Ends what is begun now by the deadline: for calls that take a token and would wait for ever without.</summary>
    public static CancellationToken Token => new CancellationTokenSource(Deadline).Token;

    /// <summary>Asks again until it holds. What cannot be asked yet (a connection refused) counts as not yet.</summary>
    /// <exception cref="TimeoutException">It did not hold in time, or the asking had no answer by then.</exception>
    public static async Task UntilAsync(Func<Task<bool>> condition, string what, TimeSpan? deadline = null)
    {
        var watch = Stopwatch.StartNew();
        var limit = deadline ?? Deadline;
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        Exception? last = null;
        while (watch.Elapsed < limit)
        {
            Task<bool>? asking = null;
            try
            {
                asking = condition();
                if (await asking.WaitAsync(TimeSpan.FromTicks(Math.Max(1, (limit - watch.Elapsed).Ticks)))) return;
            }
            catch (TimeoutException e) when (asking is { IsCompleted: false })
            {
                throw new TimeoutException($"Not within {limit}: {what}; the last time it was asked there was no answer", last ?? e);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or Npgsql.NpgsqlException)
            {
                last = e;
            }
            await tick.WaitForNextTickAsync();
        }
        throw new TimeoutException($"Not within {limit}: {what}", last);
    }

    /// <summary>Asks again until there is an answer.</summary>
    public static async Task<T> ForAsync<T>(Func<Task<T?>> answer, string what, TimeSpan? deadline = null) where T : class
    {
        T? result = null;
        await UntilAsync(async () => (result = await answer()) is not null, what, deadline);
        return result!;
    }
}
