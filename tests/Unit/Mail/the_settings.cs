using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Signup.Mail;

namespace Signup.Tests.Unit.Mail;

public sealed class the_settings
{
    private static void Start(params (string Key, string Value)[] settings) => new ServiceCollection().AddMail(new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(s => new KeyValuePair<string, string?>(s.Key, s.Value))).Build());

    [Theory]
    [InlineData("Smtp:Security", "Sometimes", "Smtp:…")]
    [InlineData("Smtp:Port", "70000", "Port")]
    [InlineData("Smtp:Password", "secret", "Smtp:Username")]
    [InlineData("Smtp:Timeout", "00:00:00", "Smtp:Timeout")]
    [InlineData("Mail:Connections", "0", "Connections")]
    [InlineData("Mail:Reminders:0", "-1.00:00:00", "Mail:Reminders")]
    [InlineData("Mail:ProbeCap", "00:00:00.1", "caps")]
    [InlineData("Mail:Templates", "nowhere", "Mail:Templates")]
    public void that_cannot_work_stop_the_start_and_are_named(string key, string value, string named) =>
        Assert.Contains(named, Assert.Throws<InvalidOperationException>(() => Start(("Smtp:Host", "smtp.example"), (key, value))).Message, StringComparison.Ordinal);

    [Fact]
    public void send_mails_somewhere() => Assert.Contains("Smtp:Host", Assert.Throws<InvalidOperationException>(() => Start()).Message, StringComparison.Ordinal);

    [Fact]
    public void do_not_send_a_password_in_the_clear() => Assert.Contains("Smtp:Security",
        Assert.Throws<InvalidOperationException>(() => Start(("Smtp:Host", "smtp.example"), ("Smtp:Username", "u"), ("Smtp:Password", "p"), ("Smtp:Security", "None"))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("None", 0, 25)]
    [InlineData("Tls", 0, 465)]
    [InlineData("StartTls", 0, 587)]
    [InlineData("Auto", 0, 587)]
    [InlineData("Auto", 2525, 2525)]
    public void know_the_usual_ports(string security, int port, int expected) =>
        Assert.Equal(expected, new SmtpSettings { Security = Enum.Parse<SmtpSecurity>(security), Port = port }.EffectivePort);
}
