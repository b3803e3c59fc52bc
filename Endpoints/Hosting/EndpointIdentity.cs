using System.Security.Cryptography;
using System.Text;

namespace Signup.Hosting;

/// <summary>Who this process is, to other processes and to operators.</summary>
/// <param name="Name">The queue it listens to, such as <c>accounts</c>.</param>
/// <param name="HostId">Stable over restarts: one id per endpoint, machine and install path. Operators' tools list instances by it, and
/// an id that changed with every start would litter them with dead ones.</param>
public sealed record EndpointIdentity(string Name, Guid HostId)
{
    public EndpointIdentity(string name)
        : this(name, new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{name}|{Environment.MachineName}|{AppContext.BaseDirectory}"))[..16])) { }

    /// <summary>The machine's name; a container's host name.</summary>
    public string Machine { get; } = Environment.MachineName;
}
