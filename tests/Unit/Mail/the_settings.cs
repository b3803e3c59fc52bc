using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Signup.Mail;

namespace Signup.Tests.Unit.Mail;

public sealed class the_settings
{
    /// <param name="settings">The last of a name counts.</param>
    private static void Start(params (string Key, string Value)[] settings) => new ServiceCollection().AddMail(new ConfigurationBuilder()
        .AddInMemoryCollection(settings.GroupBy(s => s.Key).Select(s => new KeyValuePair<string, string?>(s.Key, s.Last().Value))).Build());

    [Theory]
    [InlineData("Smtp:Security", "Sometimes", "Smtp:…")]
    [InlineData("Smtp:Port", "70000", "Port")]
    [InlineData("Smtp:Password", "secret", "Smtp:Username")]
    [InlineData("Smtp:Timeout", "00:00:00", "Smtp:Timeout")]
    [InlineData("Mail:Connections", "0", "Connections")]
    [InlineData("Mail:MailsPerSecond", "0.001", "Mail:MailsPerSecond")]
    [InlineData("Mail:MailsPerSecond", "-1", "MailsPerSecond")]
    [InlineData("Mail:Dkim:Selector", "s1", "Mail:Dkim:KeyFile")]
    [InlineData("Mail:Dkim:KeyFile", "dkim.pem", "Mail:Dkim:Selector")]
    [InlineData("Smtp:OAuth:ClientId", "signup", "Smtp:OAuth:TokenUrl")]
    [InlineData("Smtp:OAuth:TokenUrl", "http://tokens.example", "Smtp:OAuth:TokenUrl")]
    [InlineData("Smtp:OAuth:TokenUrl", "https://tokens.example", "Smtp:Username")]
    [InlineData("Mail:Headers:0", "X-Campaign", "Mail:Headers")]
    [InlineData("Mail:Headers:0", "X-Campaign: a\r\nBcc: all@example.com", "Mail:Headers")]
    [InlineData("Mail:Headers:0", "Bcc: all@example.com", "Mail:Headers")]
    [InlineData("Mail:Headers:0", "content-type: text/plain", "Mail:Headers")]
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
    [InlineData("Smtp:Password", "secret", "Smtp:Password and Smtp:OAuth")]
    [InlineData("Smtp:OAuth:ClientId", "", "Smtp:OAuth:ClientId")]
    [InlineData("Smtp:OAuth:ClientSecret", "", "Smtp:OAuth:RefreshToken")]
    [InlineData("Smtp:Security", "None", "Smtp:Security")]
    public void are_whole_where_tokens_take_the_place_of_a_password(string key, string value, string named) => Assert.Contains(named, Assert.Throws<InvalidOperationException>(() => Start(
        ("Smtp:Host", "smtp.example"), ("Smtp:Username", "u"), ("Smtp:OAuth:TokenUrl", "https://tokens.example"), ("Smtp:OAuth:ClientId", "signup"), ("Smtp:OAuth:ClientSecret", "secret"), (key, value))).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("no key at all")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHVCuNqKXQxXxDgSJCxbPCWjhFlAQqfQTPpNzq7rLFqZ\n-----END PRIVATE KEY-----")] // Ed25519
    public void name_a_key_that_cannot_sign(string key)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, key);
            Assert.Contains("Mail:Dkim:KeyFile", Assert.Throws<InvalidOperationException>(() => Start(
                ("Smtp:Host", "smtp.example"), ("Mail:Dkim:KeyFile", file), ("Mail:Dkim:Selector", "s1"), ("Mail:Dkim:Domain", "signup.example"))).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("Mail:Dkim:Domain", "[127.0.0.1]")]
    [InlineData("Mail:From", "no-reply@[127.0.0.1]")]
    public void do_not_sign_for_what_is_no_domain(string key, string value) => Assert.Contains("Mail:Dkim:Domain", Assert.Throws<InvalidOperationException>(() => Start(
        ("Smtp:Host", "smtp.example"), ("Signup:PublicUrl", "http://127.0.0.1:5080"), ("Mail:Dkim:KeyFile", "dkim.pem"), ("Mail:Dkim:Selector", "s1"), (key, value))).Message, StringComparison.Ordinal);

    /// <summary>Who is between us and the provider could have the password by pretending that there is no encryption.</summary>
    [Theory]
    [InlineData("", "StartTlsWhenAvailable")]
    [InlineData("signup", "StartTls")]
    public void demand_encryption_where_there_is_a_password(string username, string option) =>
        Assert.Equal(option, new SmtpSettings { Host = "smtp.example", Username = username }.SocketOptions.ToString());

    [Theory]
    [InlineData("None", 0, 25)]
    [InlineData("Tls", 0, 465)]
    [InlineData("StartTls", 0, 587)]
    [InlineData("Auto", 0, 587)]
    [InlineData("Auto", 2525, 2525)]
    public void know_the_usual_ports(string security, int port, int expected) =>
        Assert.Equal(expected, new SmtpSettings { Security = Enum.Parse<SmtpSecurity>(security), Port = port }.EffectivePort);
}
