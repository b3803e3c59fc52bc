using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Signup.Gateway.OwnAccount;

namespace Signup.Tests.Unit.Gateway;

public sealed class when_a_link_is_to_be_valid_for_a_time
{
    [Theory]
    [InlineData("00:00:01", true)]
    [InlineData("1.00:00:00", true)]
    [InlineData("1.00:00:01", false)]
    [InlineData("00:00:00", false)]
    [InlineData("-01:00:00", false)]
    public void one_to_choose_a_password_is_for_a_day_at_most(string lifetime, bool isFine) => Assert.Equal(isFine, IsFine<PasswordResetSettings>("PasswordResets:Lifetime", lifetime, s => s.Lifetime));

    [Theory]
    [InlineData("00:00:01", true)]
    [InlineData("7.00:00:00", true)]
    [InlineData("7.00:00:01", false)]
    [InlineData("00:00:00", false)]
    [InlineData("-01:00:00", false)]
    public void one_to_another_address_is_for_a_week_at_most(string lifetime, bool isFine) => Assert.Equal(isFine, IsFine<EmailChangeSettings>("EmailChanges:Lifetime", lifetime, s => s.Lifetime));

    private static bool IsFine<T>(string key, string lifetime, Func<T, TimeSpan> read) where T : class
    {
        var services = new ServiceCollection();
        services.AddOwnAccount(new ConfigurationBuilder().AddInMemoryCollection([new(key, lifetime)]).Build());
        using var provider = services.BuildServiceProvider();
        try
        {
            Assert.Equal(lifetime, $"{read(provider.GetRequiredService<IOptions<T>>().Value):c}");
            return true;
        }
        catch (OptionsValidationException e)
        {
            // It says which one.
            Assert.Contains(key, e.Message, StringComparison.Ordinal);
            return false;
        }
    }
}
