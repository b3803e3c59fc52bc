namespace Signup.EventLog.Archiving;

/// <summary>Keeps files by name. Whatever has a name is there as a whole: nobody ever sees half of a file.</summary>
internal abstract class ArchiveStorage
{
    /// <summary>Where it is, as people call it. Its files' names come behind, and a <c>/</c> between.</summary>
    public abstract string Place { get; }

    /// <summary>Writes a file, and comes back once it is durable. One of the same name is replaced.</summary>
    /// <param name="write">Is given an empty file, and returns its name.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public abstract Task WriteAsync(Func<FileStream, Task<string>> write, CancellationToken cancellation);

    /// <summary>Opens a file.</summary>
    /// <param name="again">Whether it may be the file as it was when it was checked before, and need not be checked then; else it is the one that is there now.</param>
    /// <param name="check">Reads it, and throws where it is not as it should be; leaves it at its beginning.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="FileNotFoundException">There is none of that name.</exception>
    /// <exception cref="DirectoryNotFoundException">Likewise.</exception>
    public abstract Task<Stream> OpenAsync(string file, bool again, Func<Stream, CancellationToken, Task> check, CancellationToken cancellation);

    /// <summary>The names of all files that begin so.</summary>
    /// <exception cref="IOException">They cannot be listed.</exception>
    public abstract Task<IReadOnlyList<string>> FilesAsync(string prefix, CancellationToken cancellation);
}
