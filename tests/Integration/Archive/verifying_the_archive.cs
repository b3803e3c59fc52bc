using Signup.EventLog.Archiving;
using Signup.Tests.Fixture;

namespace Signup.Tests.Integration.Archive;

/// <summary>Whatever happens to a file is found, and said with the file's name and what to do.</summary>
public sealed class verifying_the_archive(verifying_the_archive.Archived archived) : IClassFixture<verifying_the_archive.Archived>
{
    public static TheoryData<string, string> Damages => new()
    {
        { "missing", "^is missing, which holds positions 11 to 20 of the log. Put it back from a copy" },
        { "truncated", "^is not what was written: it was cut off, and has 100 of its " },
        { "altered", "^is not what was written: its SHA-256 is " },
        { "longer", "^is not what was written: its SHA-256 is " },
        { "of another range", "^is not what was written: " },
        { "manifest missing", "/000000000011.json is missing, the manifest of 000000000011-000000000020-" },
        { "manifest of another range", "/000000000011.json is not what was written: it is no manifest" },
        { "manifest altered", "/000000000011.json is not what was written: it differs from what the log's database says of 000000000011-000000000020-" },
        { "manifest no JSON", "/000000000011.json is not what was written: it is no manifest" },
    };

    [Theory, MemberData(nameof(Damages))]
    public async Task names_a_file_that_is(string damage, string said)
    {
        var range = archived.Ranges[1];
        var (data, manifest) = (archived.Archive.Directory.PathOf(range.File), archived.Archive.Directory.PathOf(ArchiveDirectory.ManifestOf(range.First)));
        var (dataBytes, manifestBytes) = (await File.ReadAllBytesAsync(data), await File.ReadAllBytesAsync(manifest));
        try
        {
            switch (damage)
            {
                case "missing": File.Delete(data); break;
                case "truncated": await File.WriteAllBytesAsync(data, dataBytes[..100]); break;
                case "altered": await File.WriteAllBytesAsync(data, [.. dataBytes[..200], (byte)(dataBytes[200] ^ 1), .. dataBytes[201..]]); break;
                case "longer": await File.WriteAllBytesAsync(data, [.. dataBytes, 0]); break;
                case "of another range": File.Copy(archived.Archive.Directory.PathOf(archived.Ranges[0].File), data, overwrite: true); break;
                case "manifest missing": File.Delete(manifest); break;
                case "manifest of another range": File.Copy(archived.Archive.Directory.PathOf(ArchiveDirectory.ManifestOf(1)), manifest, overwrite: true); break;
                case "manifest altered": await File.WriteAllTextAsync(manifest, (await File.ReadAllTextAsync(manifest)).Replace("\"last\": 20", "\"last\": 21", StringComparison.Ordinal)); break;
                case "manifest no JSON": await File.WriteAllTextAsync(manifest, "{"); break;
            }
            var (exit, output) = await archived.System.RunAsync("Archive", "verify");

            Assert.Equal(1, exit);
            Assert.Contains(said.Replace("^", $"{data} ", StringComparison.Ordinal), output);
            Assert.EndsWith("30 events in 3 files, up to position 30. Problems found: 1.", output.Trim());
        }
        finally
        {
            await File.WriteAllBytesAsync(data, dataBytes);
            await File.WriteAllBytesAsync(manifest, manifestBytes);
        }
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
            await foreach (var difference in Signup.Archive.Comparison.WithLogAsync(connection, archive.Directory, range, Wait.Token)) found.Add(difference);
        Assert.Equal(["position 3 differs from the log in At, Data", "position 5 differs from the log in StreamId, EventId, Data, Headers", "position 16 is not in the log"], found);
    }

    [Fact]
    public async Task tells_of_files_that_are_none_of_its_own()
    {
        var stray = archived.Archive.Directory.PathOf("000000000001-000000000010-0123456789abcdef.parquet");
        File.Copy(archived.Archive.Directory.PathOf(archived.Ranges[0].File), stray);
        try
        {
            var (exit, output) = await archived.System.RunAsync("Archive", "verify");
            Assert.Equal(0, exit);
            Assert.EndsWith($"Note: {stray} is none of the archive's files. Whoever opens all files there by a pattern reads it, too: move it away.\n30 events in 3 files, up to position 30. No problem found.", output.Trim());
        }
        finally
        {
            File.Delete(stray);
        }
    }

    public sealed class Archived : IAsyncLifetime
    {
        public SignupSystem System { get; private set; } = null!;
        internal ArchivedLog Archive { get; private set; } = null!;
        public IReadOnlyList<ArchivedRange> Ranges { get; private set; } = [];

        public async ValueTask InitializeAsync()
        {
            System = await SignupSystem.StartAsync("verified", new Dictionary<string, string> { ["Archive__PositionsPerFile"] = "10" }, "Archive");
            Archive = ArchivedLog.Of(System);
            await Archive.AppendAsync(35);
            await Wait.UntilAsync(async () => (Ranges = await Archive.RangesAsync()).Count == 3, "three files are there");
        }

        public async ValueTask DisposeAsync()
        {
            await Archive.DisposeAsync();
            await System.DisposeAsync();
        }
    }
}
