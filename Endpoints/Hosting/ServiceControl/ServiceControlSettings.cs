namespace Signup.Hosting.ServiceControl;

/// <summary>The section <c>ServiceControl</c>: whether this process tells Particular's ServiceControl how it is.</summary>
public sealed record ServiceControlSettings
{
    public bool Enabled { get; init; }

    /// <summary>The address of the error instance, which is its name.</summary>
    public string Queue { get; init; } = "Particular.ServiceControl";

    /// <summary>The address of the monitoring instance.</summary>
    public string MonitoringQueue { get; init; } = "Particular.Monitoring";

    /// <summary>Where a copy of every handled message goes, without personal data. Empty: nowhere.</summary>
    public string AuditQueue { get; init; } = "";

    /// <summary>Between two reports. An endpoint counts as dead after 40 seconds without one.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);
}
