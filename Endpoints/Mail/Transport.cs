using System.Globalization;
using System.Net;
using System.Text;
using MailKit;
using MailKit.Net.Smtp;
using MimeKit;
using Signup.Hosting;

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
public sealed class Transports
{
    /// <summary>So many files are flushed to disk together.</summary>
    private const int PickupBatch = 32;

    private readonly SmtpSettings _smtp;
    private readonly PickupDirectory? _pickup;

    public Transports(SmtpSettings smtp, MailSettings mail)
    {
        _smtp = smtp;
        if (smtp.Host.Length == 0) _pickup = new PickupDirectory(smtp.PickupDirectory, PickupBatch);
        // A mail that is written again replaces its file, so there is nothing to fear from many at once.
        (First, Most) = _pickup is null ? (1, mail.Connections) : (PickupBatch, PickupBatch);
    }

    /// <summary>How many to use at first.</summary>
    public int First { get; }

    /// <summary>How many to use at most.</summary>
    public int Most { get; }

    public ITransport Open() => _pickup is null ? new SmtpTransport(_smtp) : new PickupTransport(_pickup);
}

/// <summary>One SMTP connection, opened when first needed, kept, and opened again where it was lost.</summary>
public sealed class SmtpTransport(SmtpSettings settings) : ITransport
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
        return kept && outcome is Outcome.Trouble && _stage < SmtpStage.Recipient ? await TryAsync(mail, cancellation) : outcome;
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
            if (needsUtf8 && !client.Capabilities.HasFlag(SmtpCapabilities.UTF8)) return new Outcome.Refused("international-address-unsupported");

            client.Reached = stage =>
            {
                _stage = stage;
                deadline.CancelAfter(stage == SmtpStage.Data ? settings.MailTimeout : settings.Timeout);
            };
            client.Reached(SmtpStage.Sender);
            await client.SendAsync(needsUtf8 ? International : Format, mail, deadline.Token);
            return new Outcome.Accepted();
        }
        catch (Exception e)
        {
            var outcome = Faults.Classify(e, _stage);
            if (outcome is Outcome.Trouble || _client is not { IsConnected: true }) Drop();
            if (e is OperationCanceledException) cancellation.ThrowIfCancellationRequested();
            return outcome;
        }
    }

    private async Task<Client> ConnectAsync(CancellationToken deadline)
    {
        var client = new Client();
        try
        {
            await client.ConnectAsync(settings.Host, settings.EffectivePort, settings.SocketOptions, deadline);
            if (settings.Username.Length > 0) await client.AuthenticateAsync(Encoding.UTF8, new NetworkCredential(settings.Username, settings.Password), deadline);
            return client;
        }
        catch
        {
            client.Dispose();
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

/// <summary>Writes mails as files, for development and for mail servers that collect from a directory. A mail that is sent again replaces its file.</summary>
public sealed class PickupTransport(PickupDirectory directory) : ITransport
{
    private static readonly FormatOptions Format = new() { International = true, NewLineFormat = NewLineFormat.Dos };

    public async Task<Outcome> SendAsync(MimeMessage mail, CancellationToken cancellation)
    {
        mail.Prepare(EncodingConstraint.EightBit);
        using var content = new MemoryStream();
        await mail.WriteToAsync(Format, content, cancellation);
        try
        {
            await directory.WriteAsync(mail.MessageId!.Split('@')[0], content.GetBuffer().AsMemory(0, (int)content.Length));
            return new Outcome.Accepted();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new Outcome.Trouble("pickup-directory", InMail: false);
        }
    }

    public Task RestAsync(CancellationToken cancellation) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>A directory of mails, written so that whoever collects sees whole ones only.</summary>
public sealed class PickupDirectory
{
    private readonly string _directory;
    private readonly GroupCommit<Letter, string> _commits;

    /// <param name="batch">The most files to flush together: waiting for the disk is most of the work, and the first wait serves all of them.</param>
    public PickupDirectory(string directory, int batch)
    {
        _directory = directory;
        _commits = new(letters => Task.FromResult<IReadOnlyList<string>>(Write(letters)), batch);
    }

    /// <summary>Returns once the file is on disk.</summary>
    /// <returns>Its path.</returns>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public Task<string> WriteAsync(string name, ReadOnlyMemory<byte> content) => _commits.SubmitAsync(new Letter(name, content));

    private string[] Write(IReadOnlyList<Letter> letters)
    {
        var files = new List<FileStream>(letters.Count);
        var paths = new string[letters.Count];
        try
        {
            for (var i = 0; i < letters.Count; i++)
            {
                var temporary = Path.Combine(_directory, string.Create(CultureInfo.InvariantCulture, $".{letters[i].Name}.{Environment.ProcessId}.tmp"));
                var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
                files.Add(file);
                file.Write(letters[i].Content.Span);
                File.Move(temporary, paths[i] = Path.Combine(_directory, $"{letters[i].Name}.eml"), overwrite: true);
            }
            // After the renaming, so that the name is on disk, too.
            foreach (var file in files) file.Flush(flushToDisk: true);
            return paths;
        }
        finally
        {
            foreach (var file in files) file.Dispose();
        }
    }

    private readonly record struct Letter(string Name, ReadOnlyMemory<byte> Content);
}
