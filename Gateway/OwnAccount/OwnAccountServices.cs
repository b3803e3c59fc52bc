namespace Signup.Gateway.OwnAccount;

public static class OwnAccountServices
{
    public static void AddOwnAccount(this IServiceCollection services, IConfiguration settings)
    {
        services.AddOptions<PasswordResetSettings>().Bind(settings.GetSection("PasswordResets"))
            .Validate(s => s.Lifetime > TimeSpan.Zero && s.Lifetime <= PasswordResetSettings.Longest, $"The setting PasswordResets:Lifetime must be more than nothing, and at most {PasswordResetSettings.Longest.TotalHours:0} hours.").ValidateOnStart();
        services.AddTransient<OwnAccountDesk>().AddTransient<PasswordDesk>().AddTransient<PasswordResetDesk>();
    }
}
