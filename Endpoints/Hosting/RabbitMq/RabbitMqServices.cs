using Microsoft.Extensions.DependencyInjection;

namespace Signup.Hosting.RabbitMq;

internal static class RabbitMqServices
{
    /// <summary>What speaks to RabbitMQ in every process. Nothing else starts before the topology is there.</summary>
    public static void AddRabbitMq(this IServiceCollection services, BrokerNodes nodes)
    {
        services.AddSingleton(nodes).AddSingleton<Wire>();
        services.AddSingleton(s => new Broker(s.GetRequiredService<BrokerNodes>(), s.GetRequiredService<EndpointIdentity>()));
        services.AddKeyedSingleton(Listener.Connection, (s, _) => new Broker(s.GetRequiredService<BrokerNodes>(), s.GetRequiredService<EndpointIdentity>()));
        services.AddSingleton<CommandClient>().AddSingleton<HandlerSends>();
        services.AddSingleton<DeclareTopology>().AddBeforeStart((s, cancellation) => s.GetRequiredService<DeclareTopology>().RunAsync(cancellation));
    }

    /// <summary>Starts it, and has its health checked as <paramref name="check"/>.</summary>
    public static void AddListener<TListener>(this IServiceCollection services, string check) where TListener : Listener
    {
        services.AddSingleton<TListener>().AddHostedService(s => s.GetRequiredService<TListener>());
        services.AddHealthChecks().AddCheck<TListener>(check);
    }
}
