using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;
using Signup.Tests.Fixture;

namespace Signup.Tests.Integration.Operations;

/// <summary>The whole system as it would be deployed, with the usual intervals, under the eyes of a ServiceControl that was there before it.
/// Its mail provider is down, and Accounts alone has not been told of ServiceControl.</summary>
public sealed class WatchedSystem : IAsyncLifetime
{
    /// <summary>Opens <c>/ops</c>.</summary>
    public const string Key = "a-long-and-random-key";

    private readonly Socket _provider = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public SignupSystem System { get; private set; } = null!;
    public FakeServiceControl ServiceControl { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        // Bound, so that nobody else gets this port; and nobody listens there.
        _provider.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        System = await SignupSystem.CreateAsync("watchedall", new Dictionary<string, string>
        {
            ["Smtp__Host"] = "127.0.0.1",
            ["Smtp__Port"] = ((IPEndPoint)_provider.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture),
            ["Smtp__Security"] = "None",
            ["Ops__ApiKey"] = Key,
        });
        ServiceControl = new FakeServiceControl(System.Broker);
        try
        {
            await ServiceControl.WatchAsync();
            foreach (var name in SignupSystem.All)
            {
                var process = System.Add(name);
                if (name == "Accounts") continue;
                process.Set("ServiceControl__Enabled", "true");
                process.Set("ServiceControl__AuditQueue", FakeServiceControl.AuditQueue);
            }
            await Task.WhenAll(SignupSystem.All.Select(name => System[name].StartAsync()));
            await ServiceControl.StartAsync();
        }
        catch
        {
            // Whoever waits for this system will never get it to stop it.
            await DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ServiceControl.DisposeAsync();
        await System.DisposeAsync();
        _provider.Dispose();
    }

    /// <summary>An account that is in the log when this returns; its mail waits.</summary>
    public async Task<Guid> SignUpAsync()
    {
        var command = OperatedSystem.NewSignUp();
        var verdict = await System.Commands.AskAsync<Verdict>("accounts", command, command.AccountId, Wait.Deadline, CancellationToken.None);
        Assert.Equal(VerdictOutcome.Accepted, verdict?.Outcome);
        return command.AccountId;
    }
}

[CollectionDefinition("watched system")]
public sealed class WatchedSystemTests : ICollectionFixture<WatchedSystem>;
