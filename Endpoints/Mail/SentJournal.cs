using System.Globalization;
using System.Text;

namespace Signup.Mail;

/// <summary>That the provider took a mail.</summary>
public sealed record SentMail(Guid AccountId, string Purpose, DateTimeOffset At);

/// <summary>
/// Notes in a local file, at once, which mails the provider has taken and the database does not know of yet. The note is one write into the operating
/// system's memory, with no wait for a disk: it outlives this process, however that dies, and costs microseconds. So mails go out at full
/// speed while the database is told of them many at a time, and still a crash leaves no more than one mail a connection of which nobody knows whether
/// it was sent. (Should the whole machine die, notes die with it, and the mails of the last few milliseconds are sent again.)
/// </summary>
public sealed class SentJournal : IDisposable
{
    /// <summary>Bytes, after which a new file is begun, so that the old one can go once the database knows all of it.</summary>
    private const int FileSize = 256 * 1024;

    private readonly Lock _lock = new();
    private readonly string _directory;
    private Volume _current;

    /// <param name="directory">On the machine's own file system. Shared by the processes that share a database, and by nobody else.</param>
    public SentJournal(string directory)
    {
        _directory = directory;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(directory);
        else Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _current = new Volume(_directory);
    }

    /// <summary>Notes a mail. To be disposed of once the database knows.</summary>
    public IDisposable Note(SentMail mail)
    {
        lock (_lock)
        {
            if (_current.Length > FileSize)
            {
                var full = _current;
                _current = new Volume(_directory);
                full.IsFull();
            }
            return new Entry(this, _current.Write(mail));
        }
    }

    /// <summary>What processes that died have left behind.</summary>
    /// <param name="record">Tells the database of a mail. Where it throws, the notes stay.</param>
    /// <returns>How many mails it was.</returns>
    public async Task<int> ReplayAsync(Func<SentMail, Task> record)
    {
        var count = 0;
        foreach (var path in Directory.EnumerateFiles(_directory, "*.sent"))
        {
            // A file whose lock can be had belongs to nobody who lives.
            using var left = TryOpen(path);
            if (left is null) continue;
            using var reader = new StreamReader(left, Encoding.UTF8);
            var mails = (await reader.ReadToEndAsync()).Split('\n').Select(Parse).OfType<SentMail>().ToList();
            await Task.WhenAll(mails.Select(record));
            count += mails.Count;
            File.Delete(path);
        }
        return count;
    }

    public void Dispose()
    {
        lock (_lock) _current.Dispose();
    }

    private static FileStream? TryOpen(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string Line(SentMail mail) => string.Create(CultureInfo.InvariantCulture, $"{mail.AccountId} {mail.Purpose} {mail.At.UtcTicks};\n");

    /// <returns>Null where a line was not written to its end.</returns>
    private static SentMail? Parse(string line) =>
        line.Split(' ') is [var id, var purpose, [.. var ticks, ';']] && Guid.TryParse(id, out var accountId) && long.TryParse(ticks, CultureInfo.InvariantCulture, out var at)
            ? new SentMail(accountId, purpose, new DateTimeOffset(at, TimeSpan.Zero))
            : null;

    private void Release(Volume volume)
    {
        lock (_lock) volume.Known();
    }

    private sealed class Entry(SentJournal journal, Volume volume) : IDisposable
    {
        public void Dispose() => journal.Release(volume);
    }

    /// <summary>A file, which is deleted once nothing more will be written and the database knows all that is in it.</summary>
    private sealed class Volume(string directory) : IDisposable
    {
        private readonly FileStream _file = new(Path.Combine(directory, $"{Guid.NewGuid():N}.sent"), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        private int _unknown;
        private bool _full;

        public long Length => _file.Length;

        public Volume Write(SentMail mail)
        {
            _file.Write(Encoding.UTF8.GetBytes(Line(mail)));
            _unknown++;
            return this;
        }

        public void Known()
        {
            if (--_unknown > 0) return;
            if (_full) Delete();
            else _file.SetLength(0);
        }

        /// <summary>Nothing more will be written.</summary>
        public void IsFull()
        {
            _full = true;
            if (_unknown == 0) Delete();
        }

        /// <summary>What the database does not know stays, for whoever comes next.</summary>
        public void Dispose()
        {
            if (_unknown == 0) Delete();
            else _file.Dispose();
        }

        private void Delete()
        {
            File.Delete(_file.Name);
            _file.Dispose();
        }
    }
}
