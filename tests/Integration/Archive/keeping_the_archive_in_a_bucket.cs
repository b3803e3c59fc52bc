using System.Text.Json;
using Signup.EventLog.Archiving;

namespace Signup.Tests.Integration.Archive;

/// <summary>As in a directory. What is the same code for both is tested there; and <see cref="verifying_the_archive"/> is for both.</summary>
public sealed class keeping_the_archive_in_a_bucket
{
    /// <summary>More than the 16 that are kept.</summary>
    private const int Files = 24;

    /// <summary>By a process and by commands, which are told nothing but where the bucket is.</summary>
    [Fact]
    public async Task waits_until_there_is_a_bucket_then_archives_drops_reads_and_restores()
    {
        var bucket = await Bucket.NameAsync();
        var files = new BucketFiles(bucket);
        await using var system = await SignupSystem.StartAsync("bucket", new Dictionary<string, string>(files.Settings) { ["Archive__PositionsPerFile"] = "10" }, "Archive");
        await using var archive = ArchivedLog.Of(system, files);
        await archive.AppendAsync(30);
        using var http = system.Client("Archive");
        await Wait.UntilAsync(async () => (await CheckAsync()).Contains($"Nothing is archived: {files.Target} cannot be read: the bucket's server answers 404 NoSuchBucket: ", StringComparison.Ordinal), "it says so");
        await bucket.MakeAsync();
        await Wait.UntilAsync(async () => (await archive.RangesAsync()).Count == 3 && (await CheckAsync()).Length == 0, "all is archived");
        await archive.AssertWholeAsync();
        var (alone, stored) = (await archive.Log().ReadAsync(0, 30, Wait.Token), await archive.StoredAsync(30));

        var (exit, output) = await system.AnswerAsync("drop", "Archive", "drop", "--before", "31");
        Assert.Equal(0, exit);
        Assert.Contains($"in 3 files in {files.Target} alone", output);
        Assert.Equal(0L, await archive.ScalarAsync<long>("select count(*) from log.mt_events where seq_id <= 30"));
        Assert.Equal(alone, await archive.Log().ReadAsync(0, 30, Wait.Token));

        (exit, output) = await system.RunAsync("Archive", "restore");
        Assert.EndsWith("30 events were put back.", output.Trim());
        Assert.Equal(0, exit);
        Assert.Equal(stored, await archive.StoredAsync(30));

        async Task<string> CheckAsync() => JsonDocument.Parse(await http.GetStringAsync("/health/ready")).RootElement.GetProperty("checks").GetProperty("archive").GetProperty("description").GetString() ?? "";
    }

    /// <summary>More files than are kept, in and against their order, by several at once.</summary>
    [Fact]
    public async Task reads_more_files_than_it_keeps_and_leaves_nothing_behind()
    {
        await using var archive = await ArchivedLog.CreateAsync("copies", new BucketFiles(await Bucket.CreateAsync()));
        await archive.AppendAsync(Files);
        await archive.ArchiveAsync(archive.Archiver(1));
        var alone = await archive.Log().ReadAsync(0, Files, Wait.Token);
        await archive.DropAsync();
        // Those of readers that are gone.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var (log, before) = (archive.Log(), Open());
        Assert.Equal(alone, await log.ReadAsync(0, Files, Wait.Token));
        var read = await Task.WhenAll(Enumerable.Range(1, Files).Reverse().Select(async n => (n, Event: (await log.ReadAsync(n - 1, 1, Wait.Token)).Single())));
        Assert.All(read, r => Assert.Equal(alone[r.n - 1], r.Event));
        Assert.Empty(Directory.GetFiles(Path.GetTempPath(), "signup-archive-*"));
        // Another test may read one.
        await Wait.UntilAsync(() => Task.FromResult(Open() - before <= 18), "those that were not read for the longest are let go");
        GC.KeepAlive(log);

        static int Open() => Directory.GetFiles("/proc/self/fd").Count(f => new FileInfo(f).LinkTarget?.Contains("signup-archive-", StringComparison.Ordinal) ?? false);
    }

    [Fact]
    public async Task a_reader_stops_before_what_it_cannot_find_unless_it_has_it()
    {
        await using var archive = await ArchivedLog.CreateAsync("damaged", new BucketFiles(await Bucket.CreateAsync()));
        await archive.AppendAsync(30);
        await archive.ArchiveAsync();
        await archive.DropAsync();
        var ranges = await archive.RangesAsync();
        var before = archive.Log();
        Assert.Equal(30, (await before.ReadAsync(0, 30, Wait.Token)).Count);
        foreach (var (damage, said) in new[] { ("missing", "missing, which holds positions 11 to 20 of the log. Put it back from a copy; where the whole archive has moved, set Archive__Target to where it is."),
                                               ("truncated", "not what was written: it was cut off, and has 100 of its "), ("altered", "not what was written: its SHA-256 is "), ("foreign", "not what was written: it") })
        {
            var reader = archive.Log();
            var bytes = await archive.Files.DamageAsync(ranges[1].File, damage, ranges[2].File);

            Assert.Equal(30, (await before.ReadAsync(0, 30, Wait.Token)).Count);
            Assert.Equal(10, (await reader.ReadAsync(0, 30, Wait.Token)).Count);
            Assert.StartsWith($"{archive.Target.PathOf(ranges[1].File)} is {said}", (await Assert.ThrowsAsync<ArchiveException>(() => reader.ReadAsync(10, 30, Wait.Token))).Message);
            await archive.Files.WriteAsync(ranges[1].File, bytes);
            Assert.Equal(30, (await reader.ReadAsync(0, 30, Wait.Token)).Count);
        }
    }

    [Fact]
    public async Task stops_where_it_is_another_log_s()
    {
        var files = new BucketFiles(await Bucket.CreateAsync());
        await using var one = await ArchivedLog.CreateAsync("one", files);
        await using var other = await ArchivedLog.CreateAsync("another", files);
        foreach (var archive in new[] { one, other }) await archive.AppendAsync(10);
        await one.ArchiveAsync();
        var before = await files.ListAsync();
        Assert.Contains(".json is of another log, or of a later state of this one: position 1 differs from the log in StreamId, EventId", (await Assert.ThrowsAsync<ArchiveException>(() => other.ArchiveAsync())).Message);
        Assert.Equal(before, await files.ListAsync());
    }

    [Theory]
    [InlineData("AWS_SECRET_ACCESS_KEY", "another", "cannot be read: the bucket's server answers 403 SignatureDoesNotMatch: ")]
    [InlineData("AWS_SECRET_ACCESS_KEY", "", "cannot be read: Failed to resolve AWS credentials.")]
    [InlineData("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1", "cannot be read: Connection refused (127.0.0.1:1)")]
    [InlineData("AWS_ENDPOINT_URL_S3", "", "and where that is was not told: set AWS_REGION for a bucket of Amazon's, else AWS_ENDPOINT_URL_S3, such as https://s3.example.org")]
    public async Task says_what_is_the_matter_where_it_is_told_wrongly(string setting, string value, string said)
    {
        var files = new BucketFiles(await Bucket.CreateAsync());
        await using var system = await SignupSystem.CreateAsync("told", new Dictionary<string, string>(files.Settings) { [setting] = value });
        var (exit, output) = await system.RunAsync("Archive", "verify");
        Assert.Equal(1, exit);
        Assert.Contains(said, output);
        Assert.DoesNotContain("   at ", output);
    }
}
