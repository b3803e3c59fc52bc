using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Signup.Hosting.ServiceControl;

internal static class Setup
{
    /// <summary>What Particular's ServiceControl needs of a process. Where the section <c>ServiceControl</c> does not ask for it, all of it is there and does nothing.</summary>
    public static void AddServiceControl(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(builder.Configuration.GetSection("ServiceControl").Get<ServiceControlSettings>() ?? new ServiceControlSettings());
        builder.Services.AddSingleton<RetryAcknowledgement>().AddSingleton<MessageFigures>();
        builder.Services.AddSingleton<AuditCopies>().AddHostedService(s => s.GetRequiredService<AuditCopies>());
        builder.Services.AddHostedService<Reporter>();
    }
}
