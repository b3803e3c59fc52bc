using System.Collections.Concurrent;

namespace Signup.Gateway.SigningUp;

/// <summary>
/// Sign-ups that were turned down after their sender had been told to wait. The log holds only facts, so nobody else knows of them: this is so
/// that their page can say so. A courtesy, lost with this process; whoever signs up again gets the verdict again.
/// </summary>
public sealed class LateRefusals
{
    /// <summary>The oldest are forgotten first.</summary>
    private const int Most = 10_000;

    private readonly ConcurrentDictionary<Guid, string> _taken = new();
    private readonly ConcurrentQueue<Guid> _order = new();

    /// <param name="what">What someone else has, such as <c>email</c>.</param>
    public void Add(Guid accountId, string what)
    {
        if (!_taken.TryAdd(accountId, what)) return;
        _order.Enqueue(accountId);
        while (_order.Count > Most && _order.TryDequeue(out var oldest)) _taken.TryRemove(oldest, out _);
    }

    /// <returns>What someone else has; null where nothing is known.</returns>
    public string? Find(Guid accountId) => _taken.GetValueOrDefault(accountId);
}
