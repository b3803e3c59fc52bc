using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Signup.Archive;

/// <summary>Files that are whole or not there, also after the machine has lost its power.</summary>
internal static class DurableFile
{
    /// <summary>Of files that are being written. Nobody reads them, and anyone may delete them.</summary>
    public const string Unfinished = ".tmp";

    /// <summary>Writes beside it and renames. A file of that name, which a name made of its content's hash makes the same file, is replaced.</summary>
    public static async Task WriteAsync(string path, byte[] bytes, CancellationToken cancellation)
    {
        // Of its own: two writers must not write into one.
        var unfinished = $"{path}.{Guid.NewGuid():N}{Unfinished}";
        await using (var file = new FileStream(unfinished, FileMode.CreateNew, FileAccess.Write, FileShare.None))
        {
            await file.WriteAsync(bytes, cancellation);
            file.Flush(flushToDisk: true);
        }
        File.Move(unfinished, path, overwrite: true);
        FlushDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>A rename is on the disk only once its directory is. .NET opens no directories; Windows keeps them in order by itself.</summary>
    private static void FlushDirectory(string directory)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = open(directory, 0);
        if (descriptor < 0) throw new IOException($"{directory} cannot be opened: {new Win32Exception().Message}");
        var result = fsync(descriptor);
        var error = new Win32Exception().Message;
        _ = close(descriptor);
        if (result != 0) throw new IOException($"{directory} cannot be written to the disk: {error}");
    }

#pragma warning disable IDE1006, SYSLIB1054, CA2101 // The names are libc's, and generated code for them would have to be unsafe.
    [DllImport("libc", SetLastError = true)]
    private static extern int open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", SetLastError = true)]
    private static extern int fsync(int descriptor);

    [DllImport("libc", SetLastError = true)]
    private static extern int close(int descriptor);
#pragma warning restore IDE1006, SYSLIB1054, CA2101
}
