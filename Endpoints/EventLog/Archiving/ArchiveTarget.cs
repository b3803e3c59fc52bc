using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Signup.EventLog.Archiving;

/// <summary>
/// The archive: two files for each range of positions, that with the events and, beside it, a manifest that says what the first one must be. Both have the first one's hash in their names, so to write them twice is to write the same,
/// and whoever writes late overwrites nothing that is different.
/// </summary>
public sealed class ArchiveTarget
{
    private const string Manifest = ".json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly ArchiveStorage _storage;

    /// <param name="target">The setting <c>Archive:Target</c>: such as <c>file:///var/lib/signup/archive</c>, or <c>s3://bucket/prefix</c>.</param>
    /// <exception cref="InvalidOperationException">It is none; or where the bucket is was not told.</exception>
    public ArchiveTarget(string target) => _storage = (ArchiveStorage?)DirectoryStorage.Of(target) ?? BucketStorage.Of(target) ?? throw new InvalidOperationException(
        $"The setting Archive:Target must be a directory by its whole path, such as file:///var/lib/signup/archive, or a bucket, such as s3://bucket/prefix; it is '{target}'.");

    /// <summary>Where it is, as people call it.</summary>
    public string Place => _storage.Place;

    public string PathOf(string file) => $"{_storage.Place}/{file}";

    /// <summary>The name of a range's manifest.</summary>
    public static string ManifestOf(ArchivedRange range) => Path.ChangeExtension(range.File, Manifest);

    /// <summary>Writes a range's two files.</summary>
    /// <param name="events">Those of the range, in order.</param>
    /// <exception cref="IOException">The files cannot be written.</exception>
    public async Task<ArchivedRange> WriteAsync(long first, long last, IAsyncEnumerable<StoredEvent> events, CancellationToken cancellation)
    {
        var range = new ArchivedRange(first, last, 0, 0, "", "");
        await _storage.WriteAsync(async file =>
        {
            var count = await ArchiveFile.WriteAsync(file, events, cancellation);
            file.Position = 0;
            var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation));
            range = range with { Events = count, Bytes = file.Length, Sha256 = hash, File = $"{Prefix(first)}{last:D12}-{hash[..16]}.parquet" };
            return range.File;
        }, cancellation);
        await _storage.WriteAsync(async file =>
        {
            await JsonSerializer.SerializeAsync(file, range, Json, cancellation);
            return ManifestOf(range);
        }, cancellation);
        return range;
    }

    /// <summary>What the manifest of a range says; null where there is none.</summary>
    /// <exception cref="ArchiveException">It is no manifest, or of another range.</exception>
    public Task<ArchivedRange?> ManifestAsync(ArchivedRange range, CancellationToken cancellation) => ReadManifestAsync(ManifestOf(range), cancellation);

    /// <summary>What the manifests say of all ranges that begin so: those that were written, whether they count or not.</summary>
    /// <exception cref="ArchiveException">One is no manifest.</exception>
    public async Task<IReadOnlyList<ArchivedRange>> WrittenAsync(long first, CancellationToken cancellation)
    {
        var written = new List<ArchivedRange>();
        foreach (var file in await FilesAsync(Prefix(first), cancellation))
            if (file.EndsWith(Manifest, StringComparison.Ordinal) && await ReadManifestAsync(file, cancellation) is { } range) written.Add(range);
        return written;
    }

    /// <summary>A range's events, in order, some thousands at a time: all of them and unchanged, or none.</summary>
    /// <exception cref="ArchiveException">The file is missing, or is not what was written. Says which, and what to do.</exception>
    public async IAsyncEnumerable<IReadOnlyList<StoredEvent>> ReadAsync(ArchivedRange range, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var file = await OpenAsync(range, again: false, cancellation);
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

    /// <summary>Those of a range's events, in order, among which the one is that has this position: some thousands. The file is held against its checksum the first time, and again where it may have changed since.</summary>
    /// <exception cref="ArchiveException">The file is missing, or is not what was written. Says which, and what to do.</exception>
    public async Task<IReadOnlyList<StoredEvent>> ReadPartAsync(ArchivedRange range, long position, CancellationToken cancellation)
    {
        await using var file = await OpenAsync(range, again: true, cancellation);
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
    /// <exception cref="ArchiveException">They cannot be listed.</exception>
    public async Task<IReadOnlyList<string>> OthersAsync(IEnumerable<ArchivedRange> ranges, CancellationToken cancellation)
    {
        var known = ranges.SelectMany(r => new[] { r.File, ManifestOf(r) }).ToHashSet();
        return [.. (await FilesAsync("", cancellation)).Where(f => !known.Contains(f))];
    }

    private static string Prefix(long first) => string.Create(CultureInfo.InvariantCulture, $"{first:D12}-");

    private async Task<IReadOnlyList<string>> FilesAsync(string prefix, CancellationToken cancellation)
    {
        try
        {
            return [.. (await _storage.FilesAsync(prefix, cancellation)).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ArchiveException($"{Place} cannot be read: {e.Message}", e);
        }
    }

    private async Task<ArchivedRange?> ReadManifestAsync(string name, CancellationToken cancellation)
    {
        try
        {
            await using var file = await _storage.OpenAsync(name, again: false, (_, _) => Task.CompletedTask, cancellation);
            var range = await JsonSerializer.DeserializeAsync<ArchivedRange>(file, Json, cancellation);
            return range is { File: not null, Sha256: not null } && ManifestOf(range) == name ? range : throw new JsonException("something is missing, or of another range");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException e)
        {
            throw new ArchiveException($"{PathOf(name)} is not what was written: it is no manifest ({e.Message}). Put it back from a copy.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ArchiveException($"{PathOf(name)} cannot be read: {e.Message}", e);
        }
    }

    /// <param name="again">Whether it may be the file as it was found whole before.</param>
    private async Task<Stream> OpenAsync(ArchivedRange range, bool again, CancellationToken cancellation)
    {
        try
        {
            return await _storage.OpenAsync(range.File, again, CheckAsync, cancellation);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ArchiveException($"{PathOf(range.File)} is missing, which holds positions {range.First} to {range.Last} of the log. Put it back from a copy; where the whole archive has moved, set Archive__Target to where it is.", e);
        }
        catch (Exception e) when (e is not ArchiveException and (IOException or UnauthorizedAccessException))
        {
            throw new ArchiveException($"{PathOf(range.File)} cannot be read, which holds positions {range.First} to {range.Last} of the log: {e.Message}", e);
        }

        async Task CheckAsync(Stream file, CancellationToken token)
        {
            if (file.Length < range.Bytes) throw Changed(range, $"it was cut off, and has {file.Length} of its {range.Bytes} bytes");
            if (Convert.ToHexStringLower(await SHA256.HashDataAsync(file, token)) is var hash && hash != range.Sha256) throw Changed(range, $"its SHA-256 is {hash}, not {range.Sha256}");
            file.Position = 0;
        }
    }

    internal ArchiveException Changed(ArchivedRange range, string how) =>
        new($"{PathOf(range.File)} is not what was written: {how}. It holds positions {range.First} to {range.Last} of the log: put it back from a copy.");
}
