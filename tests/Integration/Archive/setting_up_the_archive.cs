using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Signup.Archive;
using Signup.EventLog.Archiving;

namespace Signup.Tests.Integration.Archive;

public sealed class setting_up_the_archive
{
    [Theory]
    [InlineData("file:///var/lib/signup/archive", "/var/lib/signup/archive")]
    [InlineData("file:///var/lib/signup/archive/", "/var/lib/signup/archive")]
    [InlineData("file:///with%20a/b c", "/with a/b c")]
    public void takes_a_directory_by_its_whole_path(string target, string path) => Assert.Equal(path, Read(target, "1").Target.Place);

    [Theory]
    [InlineData("/var/lib/signup/archive")]
    [InlineData("archive")]
    [InlineData("file:archive")]
    [InlineData("file://server/archive")]
    [InlineData("file:///")]
    [InlineData("s3://")]
    [InlineData("s3:///prefix")]
    [InlineData("s3://bucket//prefix")]
    [InlineData("s3://bucket/prefix?region=eu-west-1")]
    [InlineData("https://bucket.s3.amazonaws.com/prefix")]
    public void refuses_whatever_else_and_says_how_it_is_to_be(string target) => Assert.Equal(
        $"The setting Archive:Target must be a directory by its whole path, such as file:///var/lib/signup/archive, or a bucket, such as s3://bucket/prefix; it is '{target}'.", Assert.Throws<InvalidOperationException>(() => Read(target, "1")).Message);

    [Theory, InlineData("0"), InlineData("-1"), InlineData("many"), InlineData("1000001"), InlineData("1.5")]
    public void refuses_a_number_of_positions_that_is_none(string positions) => Assert.Equal(
        $"The setting Archive:PositionsPerFile must be a number from 1 to 1000000; it is '{positions}'.", Assert.Throws<InvalidOperationException>(() => Read("file:///archive", positions)).Message);

    [Fact]
    public void asks_for_a_place_where_none_is_set() => Assert.StartsWith("The setting Archive:Target is missing.", Assert.Throws<InvalidOperationException>(() => Read(null, "1")).Message);

    [Fact]
    public async Task says_what_is_the_matter_while_its_directory_is_away_and_goes_on_once_it_is_back()
    {
        await using var system = await SignupSystem.StartAsync("away", new Dictionary<string, string> { ["Archive__PositionsPerFile"] = "10" }, "Archive");
        await using var archive = ArchivedLog.Of(system);
        await archive.AppendAsync(10);
        await Wait.UntilAsync(async () => (await archive.RangesAsync()).Count == 1, "the first is archived");
        var (path, away) = (archive.Target.Place, archive.Target.Place + "-away");
        Directory.Move(path, away);
        await archive.AppendAsync(10);
        using var http = system.Client("Archive");
        await Wait.UntilAsync(async () => (await CheckAsync()).Contains("Nothing is archived:", StringComparison.Ordinal), "it says so");
        Assert.Contains($"{archive.Target.PathOf(ArchiveTarget.ManifestOf((await archive.RangesAsync())[0]))} is missing", await CheckAsync(), StringComparison.Ordinal);
        Assert.Single(await archive.RangesAsync());

        Directory.Move(away, path);

        await Wait.UntilAsync(async () => (await archive.RangesAsync()).Count == 2 && (await CheckAsync()).Length == 0, "it has gone on");
        await archive.AssertWholeAsync();

        async Task<string> CheckAsync() => JsonDocument.Parse(await http.GetStringAsync("/health/ready")).RootElement.GetProperty("checks").GetProperty("archive").GetProperty("description").GetString() ?? "";
    }

    private static ArchiveSettings Read(string? target, string positions) =>
        ArchiveSettings.From(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Archive:Target"] = target, ["Archive:PositionsPerFile"] = positions }).Build());
}
