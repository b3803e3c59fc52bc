namespace Signup.Tests.Integration.Archive;

public sealed class when_archivers_die
{
    /// <summary>Two processes, killed in turn wherever they happen to be, while events are appended.</summary>
    [Fact]
    public async Task no_half_file_counts_and_no_range_is_there_twice()
    {
        await using var system = await SignupSystem.StartAsync("archivers", new Dictionary<string, string> { ["Archive__PositionsPerFile"] = "50" }, "Archive");
        await using var archive = ArchivedLog.Of(system);
        SignupProcess[] processes = [system["Archive"], system.Add("Archive")];
        await processes[1].StartAsync();
        for (var round = 0; round < 4; round++)
        {
            for (var batch = 0; batch < 10; batch++) await archive.AppendAsync(50);
            var process = processes[round % 2];
            await Wait.UntilAsync(async () => (await archive.RangesAsync()).Count > 10 * round, "some of these are archived");
            await process.KillAsync();
            await process.StartAsync();
        }
        await Wait.UntilAsync(async () => (await archive.RangesAsync()).Count == 40, "all is archived");
        await archive.AssertWholeAsync();

        var (exit, output) = await system.RunAsync("Archive", "verify");
        Assert.Equal(0, exit);
        Assert.EndsWith("2,000 events in 40 files, up to position 2000. No problem found.", output.Trim());
    }
}
