using System.Security.Cryptography;
using System.Text;

namespace Signup.Hosting;

/// <summary>Who this process is, to other processes and to operators.</summary>
/// <param name="Name">The queue it listens to, such as <c>accounts</c>.</param>
/// <param name="HostId">Stable over restarts: one id per machine and install path, as operators' tools expect.</param>
public sealed record EndpointIdentity(string Name, Guid HostId)
{
    public EndpointIdentity(string name)
        : this(name, new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{Environment.MachineName}|{AppContext.BaseDirectory}"))[..16])) { }
}
