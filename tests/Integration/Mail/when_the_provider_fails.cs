using System.Collections.Concurrent;
using Signup.Hosting.RabbitMq;
using Stored = Signup.EventLog.Accounts;

namespace Signup.Tests.Integration.Mail;

/// <summary>One process of Mail and one provider for all of these, with short pauses; each test has its own addresses and leaves the provider well.</summary>
public sealed class Faults : IAsyncLifetime
{
    public SmtpServer Smtp { get; } = new();
    public MailProcess Mail { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Mail = await MailProcess.StartAsync("mailfaults", Smtp.Start(), new()
    {
        ["Mail__Connections"] = "4",
        ["Mail__ProbeFirst"] = "00:00:00.2",
        ["Mail__ProbeCap"] = "00:00:01",
        ["Mail__RetryFirst"] = "00:00:00.5",
        ["Mail__Poll"] = "00:00:00.1",
        ["Smtp__Timeout"] = "00:00:01",
        ["Smtp__MailTimeout"] = "00:00:01",
    });

    public async ValueTask DisposeAsync()
    {
        await Mail.DisposeAsync();
        await Smtp.DisposeAsync();
    }

    public ReceivedMail[] MailsTo(IEnumerable<string> addresses)
    {
        var wanted = addresses.ToHashSet();
        return [.. Smtp.Mails.Where(m => wanted.Contains(m.Recipient))];
    }

    public Task AllArriveAsync(string[] addresses) =>
        Wait.UntilAsync(() => Task.FromResult(MailsTo(addresses).Select(m => m.Recipient).Distinct().Count() == addresses.Length), $"{addresses.Length} mails arrive");

    public Task BreakerIsAsync(string state) => Mail.BreakerIsAsync(state);

    public static string[] Addresses(string name, int count) => [.. Enumerable.Range(0, count).Select(i => $"{name}{i}@example.com")];
}

public sealed class when_the_provider_fails(Faults faults) : IClassFixture<Faults>
{
    private readonly SmtpServer _smtp = faults.Smtp;
    private readonly MailProcess _mail = faults.Mail;

    [Fact]
    public async Task no_mail_is_lost_or_doubled_while_it_is_down_and_a_thousand_sign_up()
    {
        var addresses = Faults.Addresses("down", 1000);
        // What other tests have left to be sent once more.
        await Wait.UntilAsync(async () => await _mail.CountAsync("waiting") == 0, "no mail waits");
        var logged = _mail.Process.LogLines("Signup.Mail.Provider");
        await _smtp.StopAsync();
        var ids = await _mail.SignUpAsync(addresses);
        await Wait.UntilAsync(async () => await _mail.CountAsync("waiting") == 1000, "all sign-ups are taken in");
        await faults.BreakerIsAsync("open");
        Assert.Empty(faults.MailsTo(addresses));

        _smtp.Start();
        await faults.AllArriveAsync(addresses);
        await Wait.UntilAsync(async () => await _mail.CountAsync("waiting") == 0, "all mails are recorded");

        Assert.Equal(1000, faults.MailsTo(addresses).Length);
        Assert.Equal(1000, faults.MailsTo(addresses).Select(m => m.MessageId).Distinct().Count());
        Assert.IsType<Stored.ActivationMailSent>(Assert.Single(await _mail.LogAsync(ids[^1]), e => e is Stored.ActivationMailSent));
        await faults.BreakerIsAsync("closed");
        Assert.Equal(0u, await _mail.QueueLengthAsync(Topology.Error));
        // Each change once, however many probes there were.
        var changes = _mail.Process.LogLines("Signup.Mail.Provider")[logged.Length..];
        Assert.Equal(2, changes.Length);
        Assert.Contains("in trouble (refused)", changes[0], StringComparison.Ordinal);
        Assert.Contains("works again", changes[1], StringComparison.Ordinal);
        Assert.DoesNotContain("@example.com", string.Join('\n', _mail.Process.LogLines("")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task bad_addresses_are_given_up_and_delay_nobody_elses_mail()
    {
        var addresses = Faults.Addresses("mixed", 100);
        var bad = addresses.Where((_, i) => i % 20 == 7).ToArray();
        _smtp.OnRecipient = (_, address) => Task.FromResult(bad.Contains(address) ? "550 5.1.1 no such user" : null);
        var ids = await _mail.SignUpAsync(addresses);
        await faults.AllArriveAsync([.. addresses.Except(bad)]);
        await Wait.UntilAsync(async () => (await Task.WhenAll(ids.Select(_mail.LogAsync))).All(log => log.Length == 2), "all is in the log");

        Assert.Equal(95, faults.MailsTo(addresses).Length);
        foreach (var (address, id) in addresses.Zip(ids))
        {
            var last = (await _mail.LogAsync(id))[^1];
            if (bad.Contains(address)) Assert.Equal("mailbox-unavailable", Assert.IsType<Stored.ActivationMailFailed>(last).Reason);
            else Assert.IsType<Stored.ActivationMailSent>(last);
        }
        Assert.Equal("closed", (await _mail.ProviderHealthAsync()).GetProperty("data").GetProperty("breaker").GetString());
    }

    [Theory]
    [InlineData("550 5.1.1 <b@relay.example.org>: Recipient address rejected: User unknown")]
    [InlineData("451 4.3.2 try later")]
    [InlineData("421 4.7.0 go away")]
    [InlineData("504 5.5.2 <b>: need fully-qualified address")]
    [InlineData("500 5.5.2 bad syntax")]
    [InlineData("554 5.7.1 relay access denied")]
    public async Task strangers_whose_addresses_make_trouble_hold_up_nobody_elses_mail(string reply)
    {
        var strangers = Enumerable.Range(0, 10).Select(i => $"b@relay{i}{reply[..3]}{reply.Length}.example{i % 4}.org").ToArray();
        var addresses = Faults.Addresses($"good{reply[..3]}{reply.Length}-", 30);
        _smtp.OnRecipient = (_, address) => Task.FromResult(strangers.Contains(address) ? reply : null);
        var logged = _mail.Process.LogLines("Signup.Mail.Provider").Length;
        await _mail.SignUpAsync([.. strangers, .. addresses]);
        await faults.AllArriveAsync(addresses);
        Assert.Equal(30, faults.MailsTo(addresses).Length);
        Assert.Equal(logged, _mail.Process.LogLines("Signup.Mail.Provider").Length);
        _smtp.OnRecipient = null;
        await Wait.UntilAsync(async () => await _mail.CountAsync("waiting") == 0, "the strangers' are tried again, or given up");
    }

    [Fact]
    public async Task many_strangers_at_as_many_domains_hold_up_others_for_seconds_at_most()
    {
        var strangers = Enumerable.Range(0, 20).Select(i => $"b@many{i}.example").ToArray();
        var addresses = Faults.Addresses("among", 30);
        _smtp.OnRecipient = (_, address) => Task.FromResult(strangers.Contains(address) ? "554 5.7.1 relay access denied" : null);
        await _mail.SignUpAsync([.. strangers, .. addresses]);
        await faults.AllArriveAsync(addresses);
        _smtp.OnRecipient = null;
        await Wait.UntilAsync(async () => await _mail.CountAsync("waiting") == 0, "the strangers' are tried again");
        await faults.BreakerIsAsync("closed");
        Assert.Equal(30, faults.MailsTo(addresses).Length);
    }

    [Theory]
    [InlineData("550 5.4.5 Daily user sending limit exceeded")]
    [InlineData("554 5.7.1 Client host [192.0.2.1] blocked")]
    [InlineData("550 5.7.26 unauthenticated")]
    public async Task that_refuses_us_gets_all_mails_later_and_nobody_is_told_that_it_was_their_mistake(string reply)
    {
        var addresses = Enumerable.Range(0, 30).Select(i => $"us{i}@{reply.Length}{reply[..9].Replace(' ', '-')}{i}.example").ToArray();
        _smtp.OnMail = (_, _) => Task.FromResult<string?>(reply);
        var ids = await _mail.SignUpAsync(addresses);
        await faults.BreakerIsAsync("open");
        _smtp.OnMail = null;
        await faults.AllArriveAsync(addresses);
        await faults.BreakerIsAsync("closed");
        await Wait.UntilAsync(async () => (await Task.WhenAll(ids.Select(_mail.LogAsync))).All(log => log[^1] is Stored.ActivationMailSent), "all is in the log");
        Assert.Equal(30, faults.MailsTo(addresses).Length);
        Assert.All(await Task.WhenAll(ids.Select(_mail.LogAsync)), log => Assert.Equal(2, log.Length));
    }

    [Fact]
    public async Task a_mail_that_arrives_each_time_although_the_connection_is_lost_is_not_repeated_without_end()
    {
        _smtp.OnMail = (_, text) => text.Contains("To: endless@", StringComparison.Ordinal) ? throw new HangUpException() : Task.FromResult<string?>(null);
        var id = await _mail.SignUpAsync("endless@endless.example");
        await Wait.UntilAsync(async () => (await _mail.LogAsync(id)).Length == 2, "it is decided");
        Assert.Equal("unconfirmed", Assert.IsType<Stored.ActivationMailFailed>((await _mail.LogAsync(id))[^1]).Reason);
        Assert.Equal(5, faults.MailsTo(["endless@endless.example"]).Length);
        _smtp.OnMail = null;
    }

    [Fact]
    public async Task a_greylisted_mail_is_tried_again_and_the_others_go_first()
    {
        var addresses = Faults.Addresses("grey", 20);
        var seen = new ConcurrentDictionary<string, bool>();
        _smtp.OnRecipient = (_, address) => Task.FromResult(
            address.StartsWith("grey1", StringComparison.Ordinal) && seen.TryAdd(address, true) ? "451 4.7.1 greylisted" : null);
        await _mail.SignUpAsync(addresses);
        await faults.AllArriveAsync(addresses);

        var order = faults.MailsTo(addresses).Select(m => m.Recipient).ToList();
        Assert.Equal(20, order.Count);
        Assert.All(order.Take(9), a => Assert.DoesNotContain("grey1", a, StringComparison.Ordinal));
        Assert.Equal("closed", (await _mail.ProviderHealthAsync()).GetProperty("data").GetProperty("breaker").GetString());
    }

    [Fact]
    public async Task that_accepts_connections_and_then_hangs_mails_go_out_when_it_is_back()
    {
        var addresses = Faults.Addresses("hang", 20);
        var back = new TaskCompletionSource<string?>();
        _smtp.OnConnect = (_, _) => back.Task;
        await _smtp.StopAsync();
        _smtp.Start();
        await _mail.SignUpAsync(addresses);
        await faults.BreakerIsAsync("open");
        Assert.Matches("^(timeout|connection-lost)$", (await _mail.ProviderHealthAsync()).GetProperty("data").GetProperty("reason").GetString());

        _smtp.OnConnect = null;
        back.SetResult(null);
        await faults.AllArriveAsync(addresses);
        await faults.BreakerIsAsync("closed");
        Assert.Equal(20, faults.MailsTo(addresses).Length);
    }

    [Fact]
    public async Task one_mail_that_makes_it_hang_does_not_hold_up_the_others()
    {
        var addresses = Faults.Addresses("poison", 30);
        var never = new TaskCompletionSource<string?>();
        _smtp.OnMail = (_, text) => text.Contains("<poison0@", StringComparison.Ordinal) || text.Contains("To: poison0@", StringComparison.Ordinal) ? never.Task : Task.FromResult<string?>(null);
        await _mail.SignUpAsync(addresses);
        await faults.AllArriveAsync(addresses[1..]);
        Assert.DoesNotContain(faults.MailsTo(addresses), m => m.Recipient == addresses[0]);

        _smtp.OnMail = null;
        never.SetResult("451 4.3.0 sorry");
        await faults.AllArriveAsync(addresses);
        Assert.Equal(30, faults.MailsTo(addresses).Length);
    }

    [Fact]
    public async Task that_drops_the_connection_after_each_mail_gets_them_all_in_the_end_with_the_same_link()
    {
        var addresses = Faults.Addresses("drop", 10);
        var drops = 6;
        // It has the mail, and hangs up before it says so: nobody can know.
        _smtp.OnMail = (session, text) =>
        {
            if (Interlocked.Decrement(ref drops) < 0) return Task.FromResult<string?>(null);
            throw new HangUpException();
        };
        await _mail.SignUpAsync(addresses);
        await faults.AllArriveAsync(addresses);
        Assert.True(drops < 0);
        foreach (var mails in faults.MailsTo(addresses).GroupBy(m => m.Recipient))
        {
            Assert.Single(mails.Select(m => m.MessageId).Distinct());
            Assert.Single(mails.Select(m => m.Link).Distinct());
        }
    }

    [Fact]
    public async Task with_421_all_wait_and_then_go_out_at_once()
    {
        var addresses = Faults.Addresses("closing", 50);
        _smtp.OnMailFrom = (_, _) => Task.FromResult<string?>("421 4.3.2 shutting down");
        await _mail.SignUpAsync(addresses);
        await faults.BreakerIsAsync("open");
        var connections = _smtp.Connections;
        Assert.Empty(faults.MailsTo(addresses));

        _smtp.OnMailFrom = null;
        await faults.AllArriveAsync(addresses);
        Assert.Equal(50, faults.MailsTo(addresses).Length);
        Assert.InRange(_smtp.Connections - connections, 0, 10);
    }

    [Fact]
    public async Task the_end_of_a_kept_connection_is_no_fault_and_delays_nothing()
    {
        var addresses = Faults.Addresses("kept", 40);
        var logged = _mail.Process.LogLines("Signup.Mail.Provider").Length;
        // As providers do that allow only so many mails a connection.
        _smtp.OnMailFrom = (session, _) => Task.FromResult(session.Mails >= 5 ? "421 4.7.0 that is enough" : null);
        await _mail.SignUpAsync(addresses);
        await faults.AllArriveAsync(addresses);
        _smtp.OnMailFrom = null;
        Assert.Equal(40, faults.MailsTo(addresses).Length);
        Assert.Equal(logged, _mail.Process.LogLines("Signup.Mail.Provider").Length);
    }

    [Fact]
    public async Task a_link_that_dies_while_the_provider_puts_its_mail_off_is_given_up()
    {
        var id = await _mail.SignUpAsync("forgotten@example.com");
        await Wait.UntilAsync(async () => (await _mail.LogAsync(id)).OfType<Stored.ActivationMailSent>().Any(), "the first mail is sent");
        _smtp.OnRecipient = (_, address) => Task.FromResult(address == "forgotten@example.com" ? "451 4.7.1 greylisted, try again later" : null);
        try
        {
            await _mail.AppendAsync(id, new Stored.PasswordResetRequested(DateTimeOffset.UtcNow.AddSeconds(2), DateTimeOffset.UtcNow));
            await Wait.UntilAsync(async () => (await _mail.LogAsync(id)).OfType<Stored.MailFailed>().Any(), "it is given up");
        }
        finally
        {
            _smtp.OnRecipient = null;
        }
        var given = (await _mail.LogAsync(id)).OfType<Stored.MailFailed>().Single();
        Assert.Equal(("password-reset-3", "too-late"), (given.Purpose, given.Reason));
        Assert.Single(faults.MailsTo(["forgotten@example.com"]));
    }
}

public sealed class when_the_provider_is_peculiar
{
    [Fact]
    public async Task a_wrong_password_stops_all_and_the_right_one_lets_all_go()
    {
        await using var smtp = new SmtpServer { OnAuth = (_, _) => Task.FromResult<string?>("535 5.7.8 wrong") };
        await using var mail = await MailProcess.StartAsync("mailauth", smtp.Start(), new()
        {
            ["Smtp__Username"] = "signup", ["Smtp__Password"] = "hunter2hunter2", ["Mail__ProbeFirst"] = "00:00:00.2", ["Mail__ProbeCap"] = "00:00:00.5",
        });
        var ids = await mail.SignUpAsync(Faults.Addresses("auth", 5));
        await Wait.UntilAsync(async () => (await mail.ProviderHealthAsync()).GetProperty("data").TryGetProperty("reason", out var r) && r.GetString() == "authentication", "the breaker opens");
        Assert.Empty(smtp.Mails);
        Assert.Single(await mail.LogAsync(ids[0]));

        smtp.OnAuth = (_, line) => Task.FromResult(
            line == "AUTH PLAIN " + Convert.ToBase64String("\0signup\0hunter2hunter2"u8) ? null : "535 5.7.8 wrong");
        await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count == 5), "all mails arrive");
        Assert.DoesNotContain("hunter2", string.Join('\n', mail.Process.LogLines("")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task a_slow_one_gets_as_many_connections_as_are_allowed()
    {
        // Two seconds a mail: sixteen mails over one connection would take half a minute.
        await using var smtp = new SmtpServer { OnMail = async (_, _) => { await Pause(2); return null; } };
        await using var mail = await MailProcess.StartAsync("mailslow", smtp.Start(), new() { ["Mail__Connections"] = "8", ["Mail__Poll"] = "00:00:00.2" });
        await mail.SignUpAsync(Faults.Addresses("slow", 24));
        await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count == 24), "all mails arrive", TimeSpan.FromSeconds(20));
        Assert.Equal(8, smtp.MostAtOnce);
        Assert.Equal(24, smtp.Mails.Select(m => m.Recipient).Distinct().Count());
    }

    [Fact]
    public async Task one_that_allows_two_connections_gets_two_and_no_mail_waits_for_the_third()
    {
        await using var smtp = new SmtpServer { OnMail = async (_, _) => { await Pause(0.05); return null; } };
        smtp.OnConnect = (_, _) => Task.FromResult(smtp.Open > 2 ? "421 4.7.0 too many connections" : null);
        await using var mail = await MailProcess.StartAsync("mailfew", smtp.Start(), new() { ["Mail__Connections"] = "6" });
        await mail.SignUpAsync(Faults.Addresses("few", 150));
        await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count == 150), "all mails arrive", TimeSpan.FromSeconds(20));
        Assert.Equal(2, smtp.Mails.Select(m => m.Connection).Distinct().Count());
        Assert.DoesNotContain(mail.Process.LogLines("Signup.Mail.Provider"), l => l.Contains("trouble", StringComparison.Ordinal));
    }

    [Fact]
    public async Task mails_that_trickle_in_use_one_connection_and_reuse_it()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailone", smtp.Start());
        for (var i = 1; i <= 10; i++)
        {
            await mail.SignUpAsync($"one{i}@example.com");
            await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count == i), "the mail arrives");
        }
        Assert.Equal(1, smtp.Connections);
    }

    [Fact]
    public async Task with_starttls_mails_go_encrypted_and_a_certificate_of_nobodys_stops_them()
    {
        using var authority = Certificates.Authority();
        await using var smtp = new SmtpServer { Certificate = Certificates.For("localhost", authority), OnAuth = (session, _) => Task.FromResult(session.IsEncrypted ? null : "538 5.7.11 encrypt first") };
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            var trusted = Path.Combine(folder.FullName, "ca.pem");
            await File.WriteAllTextAsync(trusted, authority.ExportCertificatePem());
            Dictionary<string, string> settings = new() { ["Smtp__Username"] = "signup", ["Smtp__Password"] = "secret" };
            await using (var stranger = await MailProcess.StartAsync("mailtlsno", smtp.Start(), settings))
            {
                await stranger.SignUpAsync("tls@example.com");
                await Wait.UntilAsync(async () => (await stranger.ProviderHealthAsync()).GetProperty("data").TryGetProperty("reason", out var r) && r.GetString() == "tls", "the breaker opens");
                Assert.Empty(smtp.Mails);
            }
            settings["SSL_CERT_FILE"] = trusted;
            await using var mail = await MailProcess.StartAsync("mailtls", smtp, settings);
            await mail.SignUpAsync("tls@example.com");
            await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count == 1), "the mail arrives");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task international_addresses_arrive_where_the_provider_can_and_are_given_up_where_it_cannot()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailutf8", smtp.Start(), new() { ["Smtp__IdleTimeout"] = "00:00:00.2" });
        var domain = await mail.SignUpAsync("ada@bücher.example");
        var dots = await mail.SignUpAsync("x@ja.example。org");
        var local = await mail.SignUpAsync("用户@example.com");
        await Wait.UntilAsync(async () => (await Task.WhenAll(new[] { domain, dots, local }.Select(mail.LogAsync))).All(log => log.Length == 2), "all are decided");
        Assert.Equal(["ada@xn--bcher-kva.example", "x@ja.example.org"], smtp.Mails.Select(m => m.Recipient).Order());
        Assert.Equal("international-address-unsupported", Assert.IsType<Stored.ActivationMailFailed>((await mail.LogAsync(local))[^1]).Reason);

        smtp.Capabilities.Add("SMTPUTF8");
        await Wait.UntilAsync(() => Task.FromResult(smtp.Open == 0), "the connection rests");
        await mail.SignUpAsync("用户@例子.example");
        await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count == 3), "the mail arrives");
        Assert.Equal("用户@例子.example", smtp.Mails.Last().Recipient);
    }

    /// <summary>What a provider takes its time with.</summary>
    private static async Task Pause(double seconds)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(seconds));
        await timer.WaitForNextTickAsync();
    }
}
