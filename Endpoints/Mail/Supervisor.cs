using System.Collections.Concurrent;

namespace Signup.Mail;

/// <summary>Keeps loops going. Whatever one throws, it goes on after a pause, says so once, and <see cref="Faults"/> tells until it works again.</summary>
public sealed partial class Supervisor(TimeProvider time, ILogger<Supervisor> logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200), LongestPause = TimeSpan.FromSeconds(15);

    private readonly ConcurrentDictionary<string, string> _faults = new();

    /// <summary>What does not work at the moment, and the kind of fault. As it was when it was asked for: sorting a dictionary that grows meanwhile would throw.</summary>
    public IReadOnlyCollection<KeyValuePair<string, string>> Faults => _faults.ToArray();

    /// <summary>Does it again and again until the process stops.</summary>
    /// <param name="what">Names the loop in log and health check.</param>
    public async Task RepeatAsync(string what, Func<Task> work, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested) await UntilDoneAsync(what, work, stopping);
    }

    /// <summary>Tries until it works, or the deadline is over.</summary>
    public async Task UntilDoneAsync(string what, Func<Task> work, CancellationToken deadline)
    {
        for (var faults = 1; ; faults++)
        {
            try
            {
                await work();
                if (_faults.TryRemove(what, out _)) Works(logger, what);
                return;
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                var fault = e.GetBaseException() is Npgsql.PostgresException { SqlState: { } state } ? $"PostgreSQL {state}" : e.GetBaseException().GetType().Name;
                if (_faults.TryAdd(what, fault)) Fails(logger, e, what);
                else _faults[what] = fault;
                if (deadline.IsCancellationRequested) return;
                await Task.Delay(PauseAfter(faults), time, deadline).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static TimeSpan PauseAfter(int faults) =>
        TimeSpan.FromMilliseconds(Math.Min(FirstPause.TotalMilliseconds * Math.Pow(2, faults - 1), LongestPause.TotalMilliseconds));

    [LoggerMessage(Level = LogLevel.Error, Message = "Mail, {What}: this does not work at the moment. It is tried again until it does")]
    private static partial void Fails(ILogger logger, Exception e, string what);

    [LoggerMessage(Level = LogLevel.Information, Message = "Mail, {What}: this works again")]
    private static partial void Works(ILogger logger, string what);
}
