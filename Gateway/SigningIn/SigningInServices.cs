using Signup.Hosting.Calls;

namespace Signup.Gateway.SigningIn;

public static class SigningInServices
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    public static void AddSigningIn(this IServiceCollection services, IConfiguration settings)
    {
        services.AddInternalClient<HolderClient>(settings, "Uniqueness", HolderClient.Timeout);
        services.AddInternalClient<SignInClient>(settings, "Accounts", Timeout);
        services.AddOptions<SessionSettings>().Bind(settings.GetSection("Sessions"))
            .Validate(s => s.Lifetime > TimeSpan.Zero && s.Lifetime <= SessionSettings.Longest, $"The setting Sessions:Lifetime must be more than nothing, and at most {SessionSettings.Longest.TotalDays:0} days.").ValidateOnStart();
        services.AddSingleton(s => new SignInLimits(settings.GetValue("RateLimiting:SignInsPerMinute", 30), s.GetRequiredService<TimeProvider>()));
        services.AddSingleton<KnownDevices>();
        services.AddTransient<SignInDesk>().AddTransient<Sessions>();
    }
}
