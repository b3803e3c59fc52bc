using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using MimeKit;
using MimeKit.Cryptography;
using Org.BouncyCastle.Crypto;
using Stored = Signup.EventLog.Accounts;

namespace Signup.Tests.Integration.Mail;

/// <summary>What large providers ask of whoever sends: access tokens, a pace, signatures.</summary>
public sealed class when_the_provider_is_a_big_one
{
    private static readonly Dictionary<string, string> Quickly = new() { ["Mail__ProbeFirst"] = "00:00:00.2", ["Mail__ProbeCap"] = "00:00:00.5", ["Mail__RetryFirst"] = "00:00:00.5" };

    [Fact]
    public async Task mails_go_by_an_access_token_and_another_one_is_asked_for_when_it_is_rejected()
    {
        await using var tokens = new TokenServer();
        var accepted = "token-1";
        var offered = new ConcurrentQueue<string>();
        await using var smtp = new SmtpServer
        {
            Authentication = "PLAIN XOAUTH2",
            // One mail a connection, so that each has to authenticate.
            OnMailFrom = (session, _) => Task.FromResult(session.Mails > 0 ? "421 4.7.0 that is enough" : null),
            OnAuth = (_, line) =>
            {
                offered.Enqueue(line);
                return Task.FromResult(line == "AUTH XOAUTH2 " + Base64($"user=signup@example.com\u0001auth=Bearer {accepted}\u0001\u0001") ? null : "535 5.7.8 expired");
            },
        };
        await using var mail = await MailProcess.StartAsync("mailoauth", smtp.Start(), new(Quickly)
        {
            ["Smtp__Username"] = "signup@example.com",
            ["Smtp__OAuth__TokenUrl"] = tokens.Url,
            ["Smtp__OAuth__ClientId"] = "signup",
            ["Smtp__OAuth__ClientSecret"] = "hunter2hunter2",
            ["Smtp__OAuth__RefreshToken"] = "hunter2refresh",
            ["Smtp__OAuth__Scope"] = "https://mail.example/",
        });
        await mail.SignUpAsync(Faults.Addresses("first", 5));
        await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count == 5), "the mails arrive");
        Assert.Equal("client_id=signup&client_secret=hunter2hunter2&grant_type=refresh_token&refresh_token=hunter2refresh&scope=https%3A%2F%2Fmail.example%2F", Assert.Single(tokens.Requests));

        accepted = "token-2";
        await mail.SignUpAsync(Faults.Addresses("second", 5));
        await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count == 10), "the mails arrive by another token");
        Assert.Equal(2, tokens.Requests.Count);
        Assert.All(offered, line => Assert.StartsWith("AUTH XOAUTH2 ", line, StringComparison.Ordinal));
        Assert.DoesNotContain("hunter2", string.Join('\n', mail.Process.LogLines("")), StringComparison.Ordinal);
        Assert.DoesNotContain("token-1", string.Join('\n', mail.Process.LogLines("")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task mails_wait_while_there_is_no_access_token_and_health_says_why()
    {
        await using var tokens = new TokenServer { Answer = (400, """{ "error": "invalid_client", "error_description": "hunter2hunter2 is wrong" }""") };
        await using var smtp = new SmtpServer { Authentication = "XOAUTH2", OnAuth = (_, _) => Task.FromResult<string?>(null) };
        await using var mail = await MailProcess.StartAsync("mailnotoken", smtp.Start(), new(Quickly)
        {
            ["Smtp__Username"] = "signup@example.com",
            ["Smtp__OAuth__TokenUrl"] = tokens.Url,
            ["Smtp__OAuth__ClientId"] = "signup",
            ["Smtp__OAuth__ClientSecret"] = "hunter2hunter2",
        });
        await mail.SignUpAsync("ada@example.com");
        await ReasonIsAsync("token-invalid_client");
        Assert.Contains("grant_type=client_credentials", tokens.Requests.First(), StringComparison.Ordinal);
        tokens.Answer = (200, "<html>sign in</html>");
        await ReasonIsAsync("token-unreadable");
        tokens.Stop();
        await ReasonIsAsync("token-unreachable");
        Assert.Empty(smtp.Mails);

        tokens.Answer = null;
        tokens.Start();
        await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count == 1), "the mail arrives");
        Assert.DoesNotContain("hunter2", string.Join('\n', mail.Process.LogLines("")), StringComparison.Ordinal);

        Task ReasonIsAsync(string reason) => Wait.UntilAsync(
            async () => (await mail.ProviderHealthAsync()).GetProperty("data").TryGetProperty("reason", out var r) && r.GetString() == reason, $"the reason is {reason}");
    }

    [Fact]
    public async Task one_that_says_it_is_too_fast_gets_mails_more_slowly_and_all_of_them()
    {
        const int allowed = 20;
        var (tries, taken) = (0, new ConcurrentQueue<DateTimeOffset>());
        await using var smtp = new SmtpServer
        {
            OnMail = (_, _) =>
            {
                Interlocked.Increment(ref tries);
                lock (taken)
                {
                    while (taken.TryPeek(out var first) && first < DateTimeOffset.UtcNow.AddSeconds(-1)) taken.TryDequeue(out var _);
                    if (taken.Count >= allowed) return Task.FromResult<string?>("454 Throttling failure: Maximum sending rate exceeded.");
                    taken.Enqueue(DateTimeOffset.UtcNow);
                    return Task.FromResult<string?>(null);
                }
            },
        };
        await using var mail = await MailProcess.StartAsync("mailtoofast", smtp.Start(), Quickly);
        var addresses = Enumerable.Range(0, 100).Select(i => $"ada{i}@example{i % 10}.com").ToArray();
        var ids = await mail.SignUpAsync(addresses);
        await Wait.UntilAsync(async () => (await mail.ProviderHealthAsync()).GetProperty("data").TryGetProperty("perSecond", out _), "mails go more slowly");
        await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count == 100), "all mails arrive");

        Assert.Equal(100, smtp.Mails.Select(m => m.Recipient).Distinct().Count());
        // Full speed takes more than 300.
        Assert.InRange(tries, 101, 150);
        Assert.DoesNotContain(mail.Process.LogLines("Signup.Mail.Provider"), l => l.Contains("trouble", StringComparison.Ordinal));
        await Wait.UntilAsync(async () => (await Task.WhenAll(ids.Select(mail.LogAsync))).All(log => log[^1] is Stored.ActivationMailSent), "all are recorded as sent");
    }

    [Fact]
    public async Task no_more_mails_a_second_go_than_the_setting_allows()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailpace", smtp.Start(), new() { ["Mail__MailsPerSecond"] = "10" });
        await mail.SignUpAsync("first@example.com");
        await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count == 1), "the first mail arrives");
        var begun = DateTimeOffset.UtcNow;
        await mail.SignUpAsync(Faults.Addresses("pace", 25));
        await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count == 26), "all mails arrive");
        Assert.InRange((smtp.Mails.Last().At - begun).TotalSeconds, 2.3, 60);
        Assert.Equal(10, (await mail.ProviderHealthAsync()).GetProperty("data").GetProperty("perSecond").GetDouble());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task mails_are_signed_and_what_arrives_is_what_was_signed(bool hasProvider)
    {
        await using var smtp = new SmtpServer().Start();
        smtp.Capabilities.Add("SMTPUTF8");
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            using var key = RSA.Create(2048);
            var file = Path.Combine(folder.FullName, "dkim.pem");
            await File.WriteAllTextAsync(file, key.ExportPkcs8PrivateKeyPem());
            await using var mail = await MailProcess.StartAsync($"maildkim{(hasProvider ? "smtp" : "files")}", hasProvider ? smtp : null, new() { ["Mail__Dkim__KeyFile"] = file, ["Mail__Dkim__Selector"] = "s1" });
            await mail.SignUpAsync("ada@example.com");
            await mail.SignUpAsync("zoe@bücher.example", "Zoë 🦊", "de");
            await mail.SignUpAsync("用户@例子.example", "用户", "de");
            await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 3, "the mails are sent");

            var mails = hasProvider
                ? smtp.Mails.Select(m => MimeMessage.Load(new MemoryStream(Encoding.UTF8.GetBytes(m.Text)))).ToArray()
                : [.. Directory.GetFiles(mail.System.MailPickup).Select(f => MimeMessage.Load(f))];
            Assert.Equal(3, mails.Length);
            var announced = Assert.Single(mail.Process.LogLines("Mails are signed"));
            var verifier = new DkimVerifier(new Announced(announced));
            Assert.All(mails, m =>
            {
                var signature = Assert.Single(m.Headers, h => h.Id == HeaderId.DkimSignature);
                Assert.Contains("d=signup.example; s=s1;", signature.Value, StringComparison.Ordinal);
                Assert.True(verifier.Verify(m, signature));
                m.Subject += "!";
                Assert.False(verifier.Verify(m, signature));
            });
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    /// <summary>The DNS, where the record is that the log asks for.</summary>
    private sealed class Announced(string logged) : DkimPublicKeyLocatorBase
    {
        public override AsymmetricKeyParameter LocatePublicKey(string methods, string domain, string selector, CancellationToken cancellationToken = default)
        {
            Assert.Contains($"{selector}._domainkey.{domain}. TXT ", logged, StringComparison.Ordinal);
            return GetPublicKey(logged[logged.IndexOf("v=DKIM1", StringComparison.Ordinal)..logged.LastIndexOf('"')]);
        }

        public override Task<AsymmetricKeyParameter> LocatePublicKeyAsync(string methods, string domain, string selector, CancellationToken cancellationToken = default) =>
            Task.FromResult(LocatePublicKey(methods, domain, selector, cancellationToken));
    }

    /// <summary>A token endpoint: <c>token-1</c>, <c>token-2</c>, …</summary>
    private sealed class TokenServer : IAsyncDisposable
    {
        private HttpListener _listener = new();
        private Task _serving;

        public TokenServer()
        {
            using (var any = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0))
            {
                any.Start();
                Url = $"http://localhost:{((IPEndPoint)any.LocalEndpoint).Port}/token/";
            }
            _serving = Listen();
        }

        public string Url { get; }

        /// <summary>Null: a token.</summary>
        public (int Status, string Body)? Answer { get; set; }

        /// <summary>Their forms, fields in order of name.</summary>
        public ConcurrentQueue<string> Requests { get; } = new();

        public void Start()
        {
            _listener = new();
            _serving = Listen();
        }

        public void Stop() => _listener.Close();

        public async ValueTask DisposeAsync()
        {
            Stop();
            await _serving.WaitAsync(Wait.Deadline);
        }

        private Task Listen()
        {
            _listener.Prefixes.Add(Url);
            _listener.Start();
            return ServeAsync(_listener);
        }

        private async Task ServeAsync(HttpListener listener)
        {
            try
            {
                while (true)
                {
                    var context = await listener.GetContextAsync();
                    using var reader = new StreamReader(context.Request.InputStream);
                    Requests.Enqueue(string.Join('&', (await reader.ReadToEndAsync()).Split('&').Order(StringComparer.Ordinal)));
                    var (status, body) = Answer ?? (200, $$"""{ "access_token": "token-{{Requests.Count}}", "token_type": "Bearer", "expires_in": "3599" }""");
                    context.Response.StatusCode = status;
                    context.Response.Close(Encoding.UTF8.GetBytes(body), willBlock: false);
                }
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                // Stopped.
            }
        }
    }
}
