using System.Net.Sockets;
using MailKit;
using MailKit.Net.Smtp;

namespace Signup.Tests.Traps;

public sealed class retry_that_skips(Stage stage)
{
    [Fact]
    public async Task three_attempts_and_on_to_the_next_loses_one_mail_but_here_all_wait_until_the_provider_is_back()
    {
        var naive = new ThreeAttempts(stage.SendMailAsync);
        string[] people = ["ada@retry.example", "bob@retry.example", "cy@retry.example"];

        Story.Tell("Three mails are to be sent, in order. When the second is due the provider is busy, for three attempts.");
        var attempts = 0;
        stage.Smtp.OnMailFrom = (_, from) => Task.FromResult(from == "naive@example.org" && Interlocked.Increment(ref attempts) is 2 or 3 or 4 ? "421 4.3.2 busy, come back later" : null);
        try
        {
            await naive.RunAsync(people);
        }
        finally
        {
            stage.Smtp.OnMailFrom = null;
        }
        Assert.Equal([1, 0, 1], people.Select(p => stage.MailsTo(p).Count));
        Story.Tell("Bob is the one who never hears. He is in a log file, perhaps.");

        Story.Tell("Here: the provider is busy while three sign up, for three attempts at least.");
        var refused = 0;
        var busy = true;
        stage.Smtp.OnMailFrom = (_, _) =>
        {
            if (!Volatile.Read(ref busy)) return Task.FromResult<string?>(null);
            Interlocked.Increment(ref refused);
            return Task.FromResult<string?>("421 4.3.2 busy, come back later");
        };
        var emails = new List<string>();
        try
        {
            for (var n = 0; n < 3; n++) emails.Add((await stage.SignUpAsync()).Email);
            await Wait.UntilAsync(() => Task.FromResult(Volatile.Read(ref refused) >= 3), "Mail has tried three times");
            Assert.All(emails, email => Assert.Empty(stage.MailsTo(email)));
        }
        finally
        {
            Volatile.Write(ref busy, false);
        }
        await Wait.UntilAsync(() => Task.FromResult(emails.All(email => stage.MailsTo(email).Count == 1)), "all three get theirs");
        stage.Smtp.OnMailFrom = null;
        Story.Tell("The breaker opened: one mail at a time asks whether the provider is back, and nothing is passed over meanwhile. Then all of them go out.");
    }
}

file sealed class ThreeAttempts(Func<string, Task> sendMail)
{
    public async Task RunAsync(IEnumerable<string> recipients)
    {
        foreach (var recipient in recipients)
        {
            for (var attempt = 1; attempt <= 3; attempt++)
            {
                try
                {
                    await sendMail(recipient);
                    break;
                }
                catch (Exception e) when (e is SmtpCommandException or SmtpProtocolException or ServiceNotConnectedException or SocketException)
                {
                    Console.Error.WriteLine($"Attempt {attempt}: {e.Message}");
                }
            }
        }
    }
}
