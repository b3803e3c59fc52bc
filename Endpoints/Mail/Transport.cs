using System.Globalization;
using System.Net;
using System.Text;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Signup.Mail;

/// <summary>A way to the mail provider, used by one sender at a time.</summary>
public interface ITransport : IAsyncDisposable
{
    /// <summary>Hands a mail over. Faults are outcomes; throws only when <paramref name="cancellation"/> is.</summary>
    Task<Outcome> SendAsync(MimeMessage mail, CancellationToken cancellation);

    /// <summary>Nothing to send for a while.</summary>
    Task RestAsync(CancellationToken cancellation);
}

/// <summary>Opens ways to the provider that the settings name.</summary>
/// <param name="tokens">Null: authentication is by password.</param>
public sealed class Transports(SmtpSettings smtp, AccessTokens? tokens = null)
{
    public ITransport Open() => smtp.Host.Length == 0 ? new PickupTransport(smtp.PickupDirectory) : new SmtpTransport(smtp, tokens);
}

/// <summary>One SMTP connection, opened when first needed, kept, and opened again where it was lost.</summary>
public sealed class SmtpTransport(SmtpSettings settings, AccessTokens? tokens) : ITransport
{
    private static readonly FormatOptions Format = FormatOptions.Default.Clone();
    private static readonly FormatOptions International = new() { International = true, NewLineFormat = NewLineFormat.Dos };

    private Client? _client;
    private SmtpStage _stage;

    public async Task<Outcome> SendAsync(MimeMessage mail, CancellationToken cancellation)
    {
        // A kept connection may be dead, or at the number of mails its server allows; that shows before the recipient is
        // named, and is no fault of anyone's until a new connection fails as well.
        var kept = _client is not null;
        var outcome = await TryAsync(mail, cancellation);
        return kept && outcome is (Outcome.Trouble or Outcome.TooFast { Named: false }) ? await TryAsync(mail, cancellation) : outcome;
    }

    public Task RestAsync(CancellationToken cancellation) => CloseAsync(cancellation);

    public async ValueTask DisposeAsync() => await CloseAsync(CancellationToken.None);

    private async Task<Outcome> TryAsync(MimeMessage mail, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(settings.Timeout);
        _stage = SmtpStage.Connecting;
        try
        {
            var client = _client ??= await ConnectAsync(deadline.Token);
            var recipient = mail.To.Mailboxes.Single();
            var needsUtf8 = recipient.LocalPart.Any(c => c > 127);
            if (needsUtf8 && !client.Capabilities.HasFlag(SmtpCapabilities.UTF8)) return new Outcome.Refused(Faults.International, Sure: true);

            client.Reached = stage =>
            {
                _stage = stage;
                deadline.CancelAfter(stage == SmtpStage.Data ? settings.MailTimeout : settings.Timeout);
            };
            // With SMTPUTF8, MAIL FROM says something about the recipient already.
            client.Reached(needsUtf8 ? SmtpStage.Recipient : SmtpStage.Sender);
            await client.SendAsync(needsUtf8 ? International : Format, mail, deadline.Token);
            return new Outcome.Accepted();
        }
        catch (Exception e)
        {
            // After a refusal of one mail the next may follow; 421 means that the server hangs up.
            if (_stage < SmtpStage.Recipient || e is not SmtpCommandException { StatusCode: not SmtpStatusCode.ServiceNotAvailable } || _client is not { IsConnected: true }) Drop();
            if (e is OperationCanceledException) cancellation.ThrowIfCancellationRequested();
            return Faults.Classify(e, _stage);
        }
    }

    private async Task<Client> ConnectAsync(CancellationToken deadline)
    {
        var client = new Client();
        try
        {
            await client.ConnectAsync(settings.Host, settings.EffectivePort, settings.SocketOptions, deadline);
            if (tokens is not null) await AuthenticateAsync(client, tokens, deadline);
            else if (settings.Username.Length > 0) await client.AuthenticateAsync(Encoding.UTF8, new NetworkCredential(settings.Username, settings.Password), deadline);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    private async Task AuthenticateAsync(Client client, AccessTokens tokens, CancellationToken deadline)
    {
        var token = await tokens.GetAsync(deadline);
        try
        {
            await client.AuthenticateAsync(new SaslMechanismOAuth2(settings.Username, token), deadline);
        }
        catch (AuthenticationException)
        {
            tokens.Rejected(token);
            throw;
        }
    }

    private async Task CloseAsync(CancellationToken cancellation)
    {
        if (_client is not { IsConnected: true })
        {
            Drop();
            return;
        }
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(TimeSpan.FromSeconds(1));
        try
        {
            await _client.DisconnectAsync(quit: true, deadline.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ProtocolException or CommandException)
        {
            // It was going away in any case.
        }
        Drop();
    }

    private void Drop()
    {
        _client?.Dispose();
        _client = null;
    }

    /// <summary>Tells how far a conversation came.</summary>
    private sealed class Client : SmtpClient
    {
        public Client()
        {
            // A certificate authority that does not answer must not stop mail. Expiry, name and chain are checked all the same.
            CheckCertificateRevocation = false;
            // Deadlines are per stage, by cancellation.
            Timeout = System.Threading.Timeout.Infinite;
        }

        public Action<SmtpStage> Reached { get; set; } = _ => { };

        protected override void OnSenderAccepted(MimeMessage message, MailboxAddress mailbox, SmtpResponse response) => Reached(SmtpStage.Recipient);

        protected override void OnRecipientAccepted(MimeMessage message, MailboxAddress mailbox, SmtpResponse response) => Reached(SmtpStage.Data);

        /// <summary>Mails are small: rendering each twice, to announce its size, costs more than it could save.</summary>
        protected override Task<long> GetSizeAsync(FormatOptions options, MimeMessage message, CancellationToken cancellationToken) => Task.FromResult(-1L);
    }
}

/// <summary>Writes mails as files, for development and for mail servers that collect from a directory. Whoever collects sees whole mails only; one that is sent
/// again replaces its file.</summary>
public sealed class PickupTransport(string directory) : ITransport
{
    private static readonly FormatOptions Readable = new() { International = true, NewLineFormat = NewLineFormat.Dos }, Signed = new() { NewLineFormat = NewLineFormat.Dos };

    public async Task<Outcome> SendAsync(MimeMessage mail, CancellationToken cancellation)
    {
        var name = mail.MessageId!.Split('@')[0];
        var isSigned = mail.Headers.Contains(HeaderId.DkimSignature);
        if (!isSigned) mail.Prepare(EncodingConstraint.EightBit);
        try
        {
            var temporary = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $".{name}.{Environment.ProcessId}.tmp"));
            await using var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            await mail.WriteToAsync(isSigned ? Signed : Readable, file, cancellation);
            await file.FlushAsync(cancellation);
            File.Move(temporary, Path.Combine(directory, $"{name}.eml"), overwrite: true);
            // After the renaming, so that the name is on disk, too.
            file.Flush(flushToDisk: true);
            return new Outcome.Accepted();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new Outcome.Trouble("pickup-directory", Connecting: false);
        }
    }

    public Task RestAsync(CancellationToken cancellation) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
