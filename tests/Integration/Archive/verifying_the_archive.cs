using System.Text;
using Signup.EventLog;
using Signup.EventLog.Archiving;

namespace Signup.Tests.Integration.Archive;

/// <summary>Whatever happens to a file is found, and said with the file's name and what to do.</summary>
public sealed class verifying_the_archive
{
    /// <summary>Of a range each: what happens to its data, or to its manifest, and what is said then. Where ^ is, its data's name is.</summary>
    private static readonly (string Damage, string Said)[] Damages =
    [
        ("missing", "^.parquet is missing, which holds positions 1 to 10 of the log. Put it back from a copy"),
        ("truncated", "^.parquet is not what was written: it was cut off, and has 100 of its "),
        ("altered", "^.parquet is not what was written: its SHA-256 is "),
        ("longer", "^.parquet is not what was written: its SHA-256 is "),
        ("foreign", "^.parquet is not what was written: "),
        ("manifest missing", "^.json is missing, the manifest of 000000000051-000000000060-"),
        ("manifest foreign", "^.json is not what was written: it is no manifest (something is missing, or of another range"),
        ("manifest of other events", "^.json is not what was written: it differs from what the log's database says of 000000000071-000000000080-"),
        ("manifest no JSON", "^.json is not what was written: it is no manifest ("),
    ];

    [Theory, InlineData(false), InlineData(true)]
    public async Task names_each_file_that_is_not_what_was_written(bool inBucket)
    {
        var files = inBucket ? new BucketFiles(await Bucket.CreateAsync()) : null;
        await using var system = await SignupSystem.CreateAsync("verified", files?.Settings);
        await using var archive = ArchivedLog.Of(system, files);
        await LogStore.CreateAsync(archive.Database, Wait.Token);
        await archive.AppendAsync(95);
        await archive.ArchiveAsync();
        await archive.AssertWholeAsync();
        var ranges = await archive.RangesAsync();
        var last = ranges[^1];
        for (var i = 0; i < Damages.Length; i++)
        {
            var (manifest, damage) = (ArchiveTarget.ManifestOf(ranges[i]), Damages[i].Damage);
            if (damage == "manifest of other events") await archive.Files.WriteAsync(manifest, Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(await archive.Files.ReadAsync(manifest)).Replace("\"events\": 10", "\"events\": 9", StringComparison.Ordinal)));
            else if (damage == "manifest no JSON") await archive.Files.WriteAsync(manifest, "{"u8.ToArray());
            else if (damage.StartsWith("manifest ", StringComparison.Ordinal)) await archive.Files.DamageAsync(manifest, damage["manifest ".Length..], ArchiveTarget.ManifestOf(ranges[0]));
            else await archive.Files.DamageAsync(ranges[i].File, damage, last.File);
        }
        var (exit, output) = await system.RunAsync("Archive", "verify");

        Assert.Equal(1, exit);
        for (var i = 0; i < Damages.Length; i++)
            Assert.Contains(Damages[i].Said.Replace("^", archive.Target.PathOf(Path.GetFileNameWithoutExtension(ranges[i].File)), StringComparison.Ordinal), output, StringComparison.Ordinal);
        Assert.EndsWith("90 events in 9 files, up to position 90. Problems found: 9.", output.Trim(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task finds_what_somebody_has_changed_in_the_log()
    {
        await using var archive = await ArchivedLog.CreateAsync("changed");
        await archive.AppendAsync(20);
        await archive.ArchiveAsync();
        await archive.Database.TamperAsync("""
            update log.mt_events set timestamp = timestamp + interval '1 microsecond', data = data || '{"language": "de"}' where seq_id = 3;
            delete from log.mt_events where seq_id = 5;
            update log.mt_events set seq_id = 5 where seq_id = 16
            """);
        var found = new List<string>();
        await using var connection = await archive.Database.OpenConnectionAsync();
        foreach (var range in await archive.RangesAsync())
            await foreach (var difference in Signup.Archive.Comparison.WithLogAsync(connection, archive.Target, range, Wait.Token)) found.Add(difference);
        Assert.Equal(["position 3 differs from the log in At, Data", "position 5 differs from the log in StreamId, EventId, Data, Headers", "position 16 is not in the log"], found);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task tells_of_files_that_are_none_of_its_own(bool inBucket)
    {
        var files = inBucket ? new BucketFiles(await Bucket.CreateAsync()) : null;
        await using var system = await SignupSystem.CreateAsync("stray", files?.Settings);
        await using var archive = ArchivedLog.Of(system, files);
        await LogStore.CreateAsync(archive.Database, Wait.Token);
        await archive.AppendAsync(10);
        await archive.ArchiveAsync();
        const string stray = "000000000001-000000000010-0123456789abcdef.parquet";
        await archive.Files.WriteAsync(stray, await archive.Files.ReadAsync((await archive.RangesAsync())[0].File));

        var (exit, output) = await system.RunAsync("Archive", "verify");

        Assert.Equal(0, exit);
        Assert.EndsWith($"Note: {archive.Target.PathOf(stray)} is none of the archive's files. Whoever opens all files there by a pattern reads it, too: move it away.\n10 events in 1 file, up to position 10. No problem found.", output.Trim(), StringComparison.Ordinal);
    }
}
