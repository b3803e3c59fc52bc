using Spectre.Console;

namespace Signup.Tests.Traps;

public sealed class showing_traps_to_a_newcomer(Stage stage)
{
    [Fact]
    public async Task plays_five_of_them_with_what_to_look_at_and_waits_after_each()
    {
        await using var output = new StringWriter();
        var terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output), Ansi = AnsiSupport.No, Interactive = InteractionSupport.No });
        terminal.Profile.Width = 120;
        using var enter = new StringReader("\n\n\n\n\nnot read any more");

        await Demo.RunAsync(stage, terminal, enter);

        var text = output.ToString();
        Assert.All(Enumerable.Range(1, 5), n => Assert.Contains($"{n} of 5: ", text, StringComparison.Ordinal));
        Assert.Equal(5, text.Split("Look at Endpoints/").Length - 1);
        // A naive log with one address twice.
        foreach (var holder in new[] { "second", "first" }) Assert.Contains($"│ ada@example.org │ {holder}", text, StringComparison.Ordinal);
        Assert.Equal("not read any more", await enter.ReadLineAsync());
    }
}
