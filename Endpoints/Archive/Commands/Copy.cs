using Signup.EventLog;
using Signup.Hosting;

namespace Signup.Archive.Commands;

/// <summary>Copies now what the process would copy by and by.</summary>
internal static class Copy
{
    public static readonly Command Command = new("copy", "[--until MOMENT]",
        "Copies full segments that are old enough. With --until all that was appended up to that moment, and the last segment even if it is not full.", async (line, cancellation) =>
    {
        var settings = ArchiveSettings.From(line.Configuration);
        await using var database = line.OpenDatabase();
        var (files, events) = (0, 0L);
        var archiver = new Archiver(database, new LogReader(database, asStored: true), settings, TimeProvider.System);
        await foreach (var segment in archiver.CopyAsync(line.Moment("until"), cancellation))
        {
            Console.WriteLine($"{segment.File}  {segment.Count:N0} events, positions {segment.First} to {segment.Last}");
            (files, events) = (files + 1, events + segment.Count);
        }
        Console.WriteLine(files == 0 ? "There is nothing to copy yet." : $"{events:N0} events in {files:N0} {(files == 1 ? "file" : "files")} in {settings.Directory}.");
        return 0;
    });
}
