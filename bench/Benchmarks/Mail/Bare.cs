using System.Diagnostics;
using System.Globalization;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using Signup.Tests.Fixture;

namespace Signup.Bench.Mail;

/// <summary>What there is to compare with: MailKit in a loop over one connection, which keeps no account of anything. A process of its own, so that its CPU time is its own.</summary>
internal static class Bare
{
    /// <summary>What of it is measured once, for everything that is called often has been compiled.</summary>
    public const int WarmUp = 10_000;

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    /// <returns>CPU a mail.</returns>
    public static async Task<TimeSpan> RunAsync(int port, int mails, int warmUp = WarmUp)
    {
        // However this one was started.
        var (exitCode, ticks) = await Command.RunAsync(new ProcessStartInfo("dotnet", [typeof(Bare).Assembly.Location, "--bare", $"{port}", $"{warmUp}", $"{mails}"]), Deadline);
        if (exitCode != 0) throw new InvalidOperationException(ticks);
        return TimeSpan.FromTicks(long.Parse(ticks, CultureInfo.InvariantCulture) / mails);
    }

    /// <summary>The process itself.</summary>
    /// <param name="args">Port, mails to warm up, mails.</param>
    public static async Task<int> SendAsync(string[] args)
    {
        var (port, warmUp, mails) = args.Select(a => int.Parse(a, CultureInfo.InvariantCulture)).ToArray() is [var p, var w, var m] ? (p, w, m) : throw new ArgumentException("Not these three.");
        using var self = Process.GetCurrentProcess();
        using var client = new SmtpClient();
        await client.ConnectAsync("127.0.0.1", port, SecureSocketOptions.None);
        var before = TimeSpan.Zero;
        for (var i = 0; i < warmUp + mails; i++)
        {
            if (i == warmUp)
            {
                self.Refresh();
                before = self.TotalProcessorTime;
            }
            using var mail = new MimeMessage { Subject = "Activate your account" };
            mail.From.Add(new MailboxAddress(null, "no-reply@signup.example"));
            mail.To.Add(new MailboxAddress(null, $"user{i}@example.com"));
            // As large as the endpoint's.
            mail.Body = new MultipartAlternative { new TextPart("plain") { Text = new string('x', 60).PadRight(500, '\n') }, new TextPart("html") { Text = string.Join('\n', Enumerable.Repeat(new string('y', 70), 20)) } };
            await client.SendAsync(mail);
        }
        self.Refresh();
        Console.WriteLine((self.TotalProcessorTime - before).Ticks);
        await client.DisconnectAsync(true);
        return 0;
    }
}
