using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Signup.Mail;

/// <summary>Whether mails flow. The endpoint is ready in any case: sign-ups are taken in, and their mails wait in the database.</summary>
public sealed class MailHealth(Provider provider, Supervisor supervisor, Activations activations) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var breaker = provider.Breaker;
        var data = new Dictionary<string, object> { ["breaker"] = breaker.IsOpen ? "open" : "closed" };
        if (breaker.IsOpen) (data["reason"], data["since"], data["nextProbe"]) = (breaker.Reason, provider.Since, breaker.ProbeAt);
        if (provider.PerSecond is { } perSecond) data["perSecond"] = perSecond;
        try
        {
            data["waiting"] = await activations.BacklogAsync(cancellationToken);
        }
        catch (NpgsqlException)
        {
            // There is a check for the database.
        }
        var faults = supervisor.Faults.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key}: {f.Value}").ToArray();
        if (faults.Length > 0)
        {
            data["faults"] = faults;
            return HealthCheckResult.Degraded($"Not all mails flow, for a fault of this endpoint's own ({faults[0]}); they wait, and will be sent.", data: data);
        }
        return breaker.IsOpen
            ? HealthCheckResult.Degraded("The mail provider is in trouble; mails wait, and will be sent.", data: data)
            : provider.IsSlowed ? HealthCheckResult.Degraded("Mails flow, more slowly for a while: the mail provider said that they came too fast.", data: data)
            : HealthCheckResult.Healthy("Mails flow.", data);
    }
}
