using System.Collections.Concurrent;

namespace Signup.EventLog.Archiving;

/// <summary>A directory. Files are written aside, made durable, and renamed.</summary>
internal sealed class DirectoryStorage : ArchiveStorage
{
    /// <summary>Of files that are being written. Nobody reads them.</summary>
    private const string Unfinished = ".tmp";

    /// <summary>Files that were checked, with their length and the moment in which they were written to.</summary>
    private readonly ConcurrentDictionary<string, (long, DateTime)> _checked = new(StringComparer.Ordinal);

    private DirectoryStorage(string path) => Place = path;

    /// <summary>Null where it is no directory.</summary>
    /// <param name="target">Such as <c>file:///var/lib/signup/archive</c>.</param>
    public static DirectoryStorage? Of(string target) =>
        Uri.TryCreate(target, UriKind.Absolute, out var url) && url.IsFile && target.StartsWith("file:///", StringComparison.OrdinalIgnoreCase) && url.LocalPath.Length > 1 ? new(Path.TrimEndingDirectorySeparator(url.LocalPath)) : null;

    public override string Place { get; }

    public override async Task WriteAsync(Func<FileStream, Task<string>> write, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Place);
        // Left by those who died. Whoever is only slow is held up by the database, and fails.
        foreach (var left in Directory.EnumerateFiles(Place, $"*{Unfinished}")) File.Delete(left);
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
            File.Move(aside, PathOf(name), overwrite: true);
            DurableRename.Flush(Place);
        }
        finally
        {
            File.Delete(aside);
        }
    }

    public override async Task<Stream> OpenAsync(string file, bool again, Func<Stream, CancellationToken, Task> check, CancellationToken cancellation)
    {
        var stream = new FileStream(PathOf(file), FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            var state = (stream.Length, File.GetLastWriteTimeUtc(stream.SafeFileHandle));
            if (again && _checked.GetValueOrDefault(file) == state) return stream;
            await check(stream, cancellation);
            _checked[file] = state;
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    public override Task<IReadOnlyList<string>> FilesAsync(string prefix, CancellationToken cancellation) => Task.FromResult<IReadOnlyList<string>>(
        Directory.Exists(Place) ? [.. Directory.EnumerateFiles(Place).Select(f => Path.GetFileName(f)).Where(f => f.StartsWith(prefix, StringComparison.Ordinal) && !f.EndsWith(Unfinished, StringComparison.Ordinal))] : []);

    private string PathOf(string file) => Path.Combine(Place, file);
}
