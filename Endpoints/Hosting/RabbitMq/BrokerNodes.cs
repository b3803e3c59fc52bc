using Signup.Hosting.Calls;

namespace Signup.Hosting.RabbitMq;

/// <summary>The nodes of RabbitMQ, any of which will do. What one connection of the process finds out about a node, all others to it go by.</summary>
/// <param name="All">Each as an AMQP URI.</param>
public sealed record BrokerNodes(IReadOnlyList<Uri> All)
{
    /// <summary>A connection to that node was lost, without a word from it.</summary>
    public event Action<Uri>? Lost;

    /// <exception cref="FormatException">It is no address.</exception>
    public static BrokerNodes Of(string address) => new(Hosts.Of(address));

    internal void Lose(Uri node) => Lost?.Invoke(node);
}
