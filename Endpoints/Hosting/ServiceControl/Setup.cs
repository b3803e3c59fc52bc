using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Wolverine;

namespace Signup.Hosting.ServiceControl;

/// <summary>What operators' tools need of a process, and of its bus.</summary>
internal static class Setup
{
    public static void AddServiceControl(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(builder.Configuration.GetSection("ServiceControl").Get<ServiceControlSettings>() ?? new ServiceControlSettings());
        builder.Services.AddHostedService<Reporter>();
    }

    public static void UseServiceControl(this WolverineOptions options)
    {
        var services = options.Services;
        services.AddSingleton<RetryAcknowledgement>().AddSingleton<MessageFigures>().AddSingleton<Handling>();
        services.AddSingleton<Audit>().AddHostedService(s => s.GetRequiredService<Audit>());
        services.AddSingleton<Failures>().AddSingleton<IMissingHandler>(s => s.GetRequiredService<Failures>());
        services.AddHealthChecks().AddCheck<EventLogCheck>("event-log");
        options.DefaultSerializer = new Unreadable.Serializer();
        options.Policies.Add<Handling.Policy>();
    }
}
