using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Signup.EventLog.Archiving;

/// <summary>
/// Where the archive is: a directory with two files for each range of positions, that with the events and, beside it, a manifest that says what the first one must be. Files are written aside,
/// made durable and renamed, so none of these names is ever seen half written. No file that a manifest names is touched again: one with events has its own hash in its name, so to write it twice is to write the same.
/// </summary>
public sealed class ArchiveDirectory
{
    /// <summary>Of files that are being written. Nobody reads them.</summary>
    private const string Unfinished = ".tmp";

    /// <summary>Files that were found to be what was written, with their length and the moment in which they were written to.</summary>
    private readonly ConcurrentDictionary<string, (long, DateTime)> _unchanged = new(StringComparer.Ordinal);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <param name="target">The setting <c>Archive:Target</c>: such as <c>file:///var/lib/signup/archive</c>.</param>
    /// <exception cref="InvalidOperationException">It is none.</exception>
    public ArchiveDirectory(string target)
    {
        if (!Uri.TryCreate(target, UriKind.Absolute, out var url) || !url.IsFile || !target.StartsWith("file:///", StringComparison.OrdinalIgnoreCase) || url.LocalPath.Length < 2)
            throw new InvalidOperationException($"The setting Archive:Target must be a directory such as file:///var/lib/signup/archive, by its whole path; it is '{target}'.");
        Path = System.IO.Path.TrimEndingDirectorySeparator(url.LocalPath);
    }

    public string Path { get; }

    public string PathOf(string file) => System.IO.Path.Combine(Path, file);

    /// <summary>The name of a range's manifest.</summary>
    public static string ManifestOf(long first) => string.Create(CultureInfo.InvariantCulture, $"{first:D12}.json");

    /// <summary>Writes a range's two files.</summary>
    /// <param name="events">Those of the range, in order.</param>
    /// <exception cref="IOException">The files cannot be written; or another archiver has written the manifest meanwhile.</exception>
    public async Task<ArchivedRange> WriteAsync(long first, long last, IAsyncEnumerable<StoredEvent> events, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path);
        // Left by those who died. Whoever is only slow is held up by the database, and fails.
        foreach (var left in Directory.EnumerateFiles(Path, $"*{Unfinished}")) File.Delete(left);
        var range = new ArchivedRange(first, last, 0, 0, "", "");
        await WriteAsync(async aside =>
        {
            var count = await ArchiveFile.WriteAsync(aside, events, cancellation);
            aside.Position = 0;
            var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(aside, cancellation));
            range = range with { Events = count, Bytes = aside.Length, Sha256 = hash, File = string.Create(CultureInfo.InvariantCulture, $"{first:D12}-{last:D12}-{hash[..16]}.parquet") };
            return range.File;
        }, overwrite: true, cancellation);
        await WriteAsync(async aside =>
        {
            await JsonSerializer.SerializeAsync(aside, range, Json, cancellation);
            return ManifestOf(first);
        }, overwrite: false, cancellation);
        return range;
    }

    /// <summary>What a manifest says; null where there is none for a range that begins so.</summary>
    /// <exception cref="ArchiveException">It is no manifest.</exception>
    public async Task<ArchivedRange?> ManifestAsync(long first, CancellationToken cancellation)
    {
        var path = PathOf(ManifestOf(first));
        try
        {
            var range = JsonSerializer.Deserialize<ArchivedRange>(await File.ReadAllBytesAsync(path, cancellation), Json);
            return range is { File: not null, Sha256: not null } && range.First == first ? range : throw new JsonException("something is missing, or of another range");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException e)
        {
            throw new ArchiveException($"{path} is not what was written: it is no manifest ({e.Message}). Put it back from a copy.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ArchiveException($"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>A range's events, in order, some thousands at a time: all of them and unchanged, or none.</summary>
    /// <exception cref="ArchiveException">The file is missing, or is not what was written. Says which, and what to do.</exception>
    public async IAsyncEnumerable<IReadOnlyList<StoredEvent>> ReadAsync(ArchivedRange range, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var file = await OpenAsync(range, cancellation);
        var (position, count) = (range.First - 1, 0L);
        await using var groups = ArchiveFile.ReadAsync(file, cancellation).GetAsyncEnumerator(cancellation);
        while (true)
        {
            try
            {
                if (!await groups.MoveNextAsync()) break;
            }
            catch (FormatException e)
            {
                throw Changed(range, e.Message);
            }
            foreach (var e in groups.Current)
            {
                if (e.Position <= position || e.Position > range.Last) throw Changed(range, $"position {e.Position} is out of order");
                position = e.Position;
            }
            count += groups.Current.Count;
            yield return groups.Current;
        }
        if (count != range.Events) throw Changed(range, $"it has {count} events, not {range.Events}");
    }

    /// <summary>Those of a range's events, in order, among which the one is that has this position: some thousands. The file is held against its checksum the first time, and again where it was touched since.</summary>
    /// <exception cref="ArchiveException">The file is missing, or is not what was written. Says which, and what to do.</exception>
    public async Task<IReadOnlyList<StoredEvent>> ReadPartAsync(ArchivedRange range, long position, CancellationToken cancellation)
    {
        await using var file = await OpenAsync(range, cancellation, unlessUnchanged: true);
        try
        {
            return await ArchiveFile.ReadAroundAsync(file, position, cancellation) is { Count: > 0 } part ? part : throw new FormatException("there is no event in it");
        }
        catch (FormatException e)
        {
            throw Changed(range, e.Message);
        }
    }

    /// <summary>Files, by name, that belong to none of these ranges.</summary>
    public IReadOnlyList<string> Others(IEnumerable<ArchivedRange> ranges)
    {
        if (!Directory.Exists(Path)) return [];
        var known = ranges.SelectMany(r => new[] { r.File, ManifestOf(r.First) }).ToHashSet();
        return [.. Directory.EnumerateFiles(Path).Select(f => System.IO.Path.GetFileName(f)).Where(f => !known.Contains(f) && !f.EndsWith(Unfinished, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }

    /// <param name="unlessUnchanged">Whether a file need not be read as a whole that was, and was not touched since.</param>
    private async Task<FileStream> OpenAsync(ArchivedRange range, CancellationToken cancellation, bool unlessUnchanged = false)
    {
        var path = PathOf(range.File);
        FileStream? file = null;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            var state = (file.Length, File.GetLastWriteTimeUtc(file.SafeFileHandle));
            if (unlessUnchanged && _unchanged.GetValueOrDefault(range.Sha256) == state) return file;
            if (file.Length < range.Bytes) throw Changed(range, $"it was cut off, and has {file.Length} of its {range.Bytes} bytes");
            if (Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation)) is var hash && hash != range.Sha256) throw Changed(range, $"its SHA-256 is {hash}, not {range.Sha256}");
            file.Position = 0;
            _unchanged[range.Sha256] = state;
            return file;
        }
        catch (Exception e)
        {
            if (file is not null) await file.DisposeAsync();
            if (e is FileNotFoundException or DirectoryNotFoundException)
                throw new ArchiveException($"{path} is missing, which holds positions {range.First} to {range.Last} of the log. Put it back from a copy; where the whole archive has moved, set Archive__Target to where it is.", e);
            if (e is not ArchiveException and (IOException or UnauthorizedAccessException))
                throw new ArchiveException($"{path} cannot be read, which holds positions {range.First} to {range.Last} of the log: {e.Message}", e);
            throw;
        }
    }

    internal ArchiveException Changed(ArchivedRange range, string how) =>
        new($"{PathOf(range.File)} is not what was written: {how}. It holds positions {range.First} to {range.Last} of the log: put it back from a copy.");

    /// <param name="write">Returns the file's name.</param>
    /// <param name="overwrite">Whether a file that is there may be replaced, by the same; else it fails.</param>
    private async Task WriteAsync(Func<FileStream, Task<string>> write, bool overwrite, CancellationToken cancellation)
    {
        // Of its own: two writers must not write into one.
        var aside = PathOf($"{Guid.NewGuid():N}{Unfinished}");
        try
        {
            string name;
            await using (var file = new FileStream(aside, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
            {
                name = await write(file);
                await file.FlushAsync(cancellation);
                file.Flush(flushToDisk: true);
            }
            File.Move(aside, PathOf(name), overwrite);
            DurableRename.Flush(Path);
        }
        finally
        {
            File.Delete(aside);
        }
    }
}
