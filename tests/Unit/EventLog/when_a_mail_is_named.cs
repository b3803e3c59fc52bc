using Signup.EventLog.Accounts;

namespace Signup.Tests.Unit.EventLog;

public sealed class when_a_mail_is_named
{
    private static readonly Guid Account = Guid.Parse("0199d3a2-7b1c-7e3a-9d52-3f1f0c8a4e11");

    [Theory]
    [InlineData("activation")]
    [InlineData("reminder-2~1")]
    [InlineData("email-changed-12")]
    [InlineData("email-confirmation-12~wanted")]
    public void it_is_known_again_however_a_provider_writes_its_message_id(string purpose)
    {
        var name = MailPurpose.NameOf(purpose, Account);
        foreach (var text in new[] { name, $"{name}@signup.example", $"<{name}@signup.example>", $" <{name}@[127.0.0.1]>\r\n" })
            Assert.Equal((text, true, Account, purpose), (text, MailPurpose.TryRead(text, out var account, out var read), account, read));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<0000EXAMPLE-0000@email.amazonses.com>")]
    [InlineData("activation.0199d3a2")]
    [InlineData("activation.0199d3a2-7b1c-7e3a-9d52-3f1f0c8a4e11 and more")]
    [InlineData("x activation.0199d3a2-7b1c-7e3a-9d52-3f1f0c8a4e11")]
    [InlineData("activation~x.0199d3a2-7b1c-7e3a-9d52-3f1f0c8a4e11")]
    [InlineData(".0199d3a2-7b1c-7e3a-9d52-3f1f0c8a4e11")]
    public void another_is_none_of_ours(string text) => Assert.False(MailPurpose.TryRead(text, out _, out _));
}
