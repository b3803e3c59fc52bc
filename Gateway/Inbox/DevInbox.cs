using MimeKit;

namespace Signup.Gateway.Inbox;

/// <summary>The mails that Mail has written to files, where there is no mail provider. For development only, and for clients on this machine: it shows every mail.</summary>
public sealed class DevInbox(IHostEnvironment environment, IConfiguration settings)
{
    public const string Path = "/dev/inbox";

    /// <summary>More are not listed.</summary>
    private const int Most = 100;

    private readonly string? _directory = settings["Smtp:PickupDirectory"];

    public bool IsOpen => environment.IsDevelopment() && string.IsNullOrWhiteSpace(settings["Smtp:Host"]) && !string.IsNullOrWhiteSpace(_directory);

    /// <summary>The latest first.</summary>
    public async Task<IReadOnlyList<InboxMail>> ListAsync(CancellationToken cancellation)
    {
        var mails = new List<InboxMail>();
        foreach (var file in Files().OrderByDescending(f => f.LastWriteTimeUtc).ThenByDescending(f => f.Name, StringComparer.Ordinal).Take(Most))
            if (await ReadAsync(file, cancellation) is { } mail) mails.Add(mail);
        return mails;
    }

    /// <param name="name">A file's name, as <see cref="ListAsync"/> gives it. Only these are read, so a name can lead nowhere else.</param>
    public async Task<InboxMail?> FindAsync(string name, CancellationToken cancellation) =>
        Files().FirstOrDefault(f => f.Name == name) is { } file ? await ReadAsync(file, cancellation) : null;

    private IEnumerable<FileInfo> Files()
    {
        var directory = new DirectoryInfo(_directory!);
        return directory.Exists ? directory.EnumerateFiles("*.eml") : [];
    }

    private static async Task<InboxMail?> ReadAsync(FileInfo file, CancellationToken cancellation)
    {
        try
        {
            using var mail = await MimeMessage.LoadAsync(file.FullName, cancellation);
            return new InboxMail(file.Name, mail.Subject ?? "", mail.To.ToString(), mail.Date, mail.TextBody ?? "");
        }
        catch (Exception e) when (e is FormatException or IOException)
        {
            return null;
        }
    }
}

/// <param name="Name">Of its file.</param>
public sealed record InboxMail(string Name, string Subject, string To, DateTimeOffset Date, string Text);
