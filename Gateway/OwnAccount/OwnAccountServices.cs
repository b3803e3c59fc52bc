namespace Signup.Gateway.OwnAccount;

public static class OwnAccountServices
{
    public static void AddOwnAccount(this IServiceCollection services, IConfiguration settings)
    {
        services.AddOptions<PasswordResetSettings>().Bind(settings.GetSection("PasswordResets"))
            .Validate(s => s.Lifetime > TimeSpan.Zero && s.Lifetime <= PasswordResetSettings.Longest, $"The setting PasswordResets:Lifetime must be more than nothing, and at most {PasswordResetSettings.Longest.TotalHours:0} hours.").ValidateOnStart();
        services.AddOptions<EmailChangeSettings>().Bind(settings.GetSection("EmailChanges"))
            .Validate(s => s.Lifetime > TimeSpan.Zero && s.Lifetime <= EmailChangeSettings.Longest, $"The setting EmailChanges:Lifetime must be more than nothing, and at most {EmailChangeSettings.Longest.TotalDays:0} days.").ValidateOnStart();
        services.AddTransient<OwnAccountDesk>().AddTransient<PasswordCheck>().AddTransient<PasswordDesk>().AddTransient<PasswordResetDesk>().AddTransient<EmailChangeDesk>();
    }
}
