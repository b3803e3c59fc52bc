using System.CommandLine;
using Signup.Hosting.Commands;

namespace Signup.Tests.Unit.Hosting;

public sealed class typing_a_command
{
    private readonly Option<string> _from = new("--from") { Required = true };
    private readonly Option<bool> _all = new("--all");
    private readonly Option<LogPoint> _until = LogOptions.Point("--until", "Up to there.");
    private readonly Option<Guid?> _account = LogOptions.Account();
    private Invocation? _given;

    [Theory]
    [InlineData("copy --from a.json --all")]
    [InlineData("copy --all --from=a.json")]
    public async Task gives_its_options_to_the_command(string typed)
    {
        Assert.Equal(0, await RunAsync(typed));
        Assert.Equal("a.json", _given!.Get(_from));
        Assert.True(_given.Get(_all));
    }

    [Theory]
    [InlineData("copy")]
    [InlineData("copy --form a.json")]
    [InlineData("copy --from a.json b.json")]
    [InlineData("copy --from")]
    [InlineData("copy --from a --all=yes")]
    [InlineData("copy --from a --from b")]
    [InlineData("copy --from a --until soon")]
    [InlineData("copy --from a --account 7")]
    [InlineData("cpoy")]
    public async Task wrongly_runs_nothing(string typed)
    {
        Assert.Equal(EndpointCommands.Misunderstood, await RunAsync(typed));
        Assert.Null(_given);
    }

    [Theory]
    [InlineData("")]
    [InlineData("--urls http://127.0.0.1:0")]
    public async Task of_none_starts_the_endpoint(string typed) => Assert.Null(await RunAsync(typed));

    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    [InlineData("copy --help")]
    public async Task that_asks_what_there_is_runs_nothing_and_starts_nothing(string typed)
    {
        Assert.Equal(0, await RunAsync(typed));
        Assert.Null(_given);
    }

    [Theory]
    [InlineData("100001", "100001")]
    [InlineData("2026-11-23T10:00:00Z", "2026-11-23 10:00:00Z")]
    [InlineData("2026-11-23T10:00:00", "2026-11-23 10:00:00Z")]
    public async Task reads_positions_and_moments(string typed, string point)
    {
        Assert.Equal(0, await RunAsync($"copy --from a --until {typed}"));
        Assert.Equal(point, _given!.Get(_until)!.ToString());
    }

    [Theory]
    [InlineData(typeof(UsageException), EndpointCommands.Misunderstood)]
    [InlineData(typeof(InvalidOperationException), 1)]
    public async Task ends_with_an_exit_code_where_it_fails(Type fault, int exitCode) =>
        Assert.Equal(exitCode, await EndpointCommands.TryRunAsync(["fail"], "A test.", new Command("fail", "Fails.").Runs((_, _) => throw (Exception)Activator.CreateInstance(fault, "as a test")!)));

    private Task<int?> RunAsync(string typed) => EndpointCommands.TryRunAsync(typed.Split(' ', StringSplitOptions.RemoveEmptyEntries), "A test.", new Command("copy", "Copies.") { _from, _all, _until, _account }.Runs((given, _) =>
    {
        _given = given;
        return Task.FromResult(0);
    }));
}
