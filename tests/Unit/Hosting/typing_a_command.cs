using Signup.Hosting.Commands;

namespace Signup.Tests.Unit.Query;

public sealed class typing_a_command
{
    private CommandLine? _line;

    [Theory]
    [InlineData("copy --from a.json --all")]
    [InlineData("copy --all --from=a.json")]
    public async Task gives_its_options_to_the_command(string typed)
    {
        Assert.Equal(0, await RunAsync(typed));
        Assert.Equal("a.json", _line!["from"]);
        Assert.True(_line.Has("all"));
    }

    [Theory]
    [InlineData("copy --form a.json")]
    [InlineData("copy a.json")]
    [InlineData("copy --from")]
    [InlineData("copy --all=yes")]
    [InlineData("copy --from a --from b")]
    [InlineData("cpoy")]
    public async Task wrongly_runs_nothing(string typed)
    {
        Assert.Equal(2, await RunAsync(typed));
        Assert.Null(_line);
    }

    [Theory]
    [InlineData("")]
    [InlineData("--urls http://127.0.0.1:0")]
    public async Task of_none_starts_the_endpoint(string typed) => Assert.Null(await RunAsync(typed));

    [Fact]
    public async Task that_asks_for_more_says_so() => Assert.Equal(2, await CommandLine.TryRunAsync(["copy"], Command(line => line.Required("from"))));

    [Theory]
    [InlineData("2026-11-23T10:00:00Z", true)]
    [InlineData("soon", false)]
    public async Task reads_moments(string text, bool works) =>
        Assert.Equal(works ? 0 : 2, await CommandLine.TryRunAsync(["copy", "--from", text], Command(line => line.Moment("from"))));

    private Task<int?> RunAsync(string typed) => CommandLine.TryRunAsync(typed.Split(' ', StringSplitOptions.RemoveEmptyEntries), Command(line => _line = line));

    private static Command Command(Action<CommandLine> run) => new("copy", "--from FILE [--all]", "Copies.", (line, _) =>
    {
        run(line);
        return Task.FromResult(0);
    });
}
