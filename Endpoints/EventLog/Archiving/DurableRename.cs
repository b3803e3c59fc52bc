using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Signup.EventLog.Archiving;

/// <summary>A rename is on the disk only once its directory is, and .NET flushes no directory. https://man7.org/linux/man-pages/man2/fsync.2.html</summary>
internal static class DurableRename
{
    /// <exception cref="IOException">It cannot be made durable.</exception>
    public static void Flush(string directory)
    {
        // Windows keeps them in order by itself.
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
