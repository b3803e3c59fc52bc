using MailKit.Security;
using Signup.Mail;

namespace Signup.Tests.Unit.Mail;

public sealed class choosing_encryption
{
    [Theory]
    [InlineData(0, "", SecureSocketOptions.StartTlsWhenAvailable)]
    [InlineData(25, "signup", SecureSocketOptions.StartTls)]
    [InlineData(465, "", SecureSocketOptions.SslOnConnect)]
    [InlineData(465, "signup", SecureSocketOptions.SslOnConnect)]
    public void a_password_never_goes_out_in_clear_unless_the_settings_ask_for_it(int port, string username, SecureSocketOptions expected) =>
        Assert.Equal(expected, new SmtpSettings { Port = port, Username = username }.SocketOptions);
}
