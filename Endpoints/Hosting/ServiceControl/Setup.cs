using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Signup.Hosting.ServiceControl;

/// <summary>What operators' tools need of a process.</summary>
internal static class Setup
{
    public static void AddServiceControl(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(builder.Configuration.GetSection("ServiceControl").Get<ServiceControlSettings>() ?? new ServiceControlSettings());
        builder.Services.AddHostedService<Reporter>();
    }

    /// <summary>The same of one that handles messages.</summary>
    public static void AddServiceControl(this IServiceCollection services)
    {
        services.AddSingleton<RetryAcknowledgement>().AddSingleton<MessageFigures>().AddSingleton<Failures>();
        services.AddSingleton<Audit>().AddHostedService(s => s.GetRequiredService<Audit>());
        services.AddHealthChecks().AddCheck<EventLogCheck>("event-log");
    }
}
