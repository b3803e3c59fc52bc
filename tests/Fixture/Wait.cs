using System.Diagnostics;

namespace Signup.Tests.Fixture;

/// <summary>Waits on conditions, never on time.</summary>
public static class Wait
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    /// <summary>Asks again until it holds. What cannot be asked yet (a connection refused) counts as not yet.</summary>
    /// <exception cref="TimeoutException">It did not hold in time.</exception>
    public static async Task UntilAsync(Func<Task<bool>> condition, string what, TimeSpan? deadline = null)
    {
        var watch = Stopwatch.StartNew();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        Exception? last = null;
        while (watch.Elapsed < (deadline ?? Deadline))
        {
            try
            {
                if (await condition()) return;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or Npgsql.NpgsqlException)
            {
                last = e;
            }
            await tick.WaitForNextTickAsync();
        }
        throw new TimeoutException($"Not within {deadline ?? Deadline}: {what}", last);
    }

    /// <summary>Asks again until there is an answer.</summary>
    public static async Task<T> ForAsync<T>(Func<Task<T?>> answer, string what, TimeSpan? deadline = null) where T : class
    {
        T? result = null;
        await UntilAsync(async () => (result = await answer()) is not null, what, deadline);
        return result!;
    }
}
