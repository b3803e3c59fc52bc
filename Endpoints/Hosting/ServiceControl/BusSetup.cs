using Microsoft.Extensions.DependencyInjection;
using Wolverine;

namespace Signup.Hosting.ServiceControl;

/// <summary>What operators' tools need of the bus.</summary>
internal static class BusSetup
{
    public static void UseServiceControl(this WolverineOptions options)
    {
        options.Services.AddSingleton<RetryAcknowledgement>().AddSingleton<Handling>();
        options.Services.AddSingleton<Failures>().AddSingleton<IMissingHandler>(services => services.GetRequiredService<Failures>());
        options.DefaultSerializer = new Unreadable.Serializer();
        options.Policies.Add<Handling.Policy>();
    }
}
