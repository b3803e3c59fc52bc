using System.Diagnostics;
using System.Globalization;
using Signup.Tests.Fixture;

namespace Signup.Tests.Contract;

/// <summary>Ports of what <c>./run</c> and <c>./test</c> start: chosen before any of it is up.</summary>
public sealed class Ports : IDisposable
{
    private readonly DirectoryInfo _state = Directory.CreateTempSubdirectory();

    public void Dispose() => _state.Delete(recursive: true);

    [Fact]
    public async Task no_two_have_the_same_even_where_they_were_given_the_same_before()
    {
        await File.WriteAllTextAsync(Path.Combine(_state.FullName, "settings.env"), "ONE_PORT=26506\nOTHER_PORT=26506\n");

        Assert.NotEqual(await PrintAsync("port_for ONE_PORT"), await PrintAsync("port_for OTHER_PORT"));
    }

    [Fact]
    public async Task a_new_one_is_none_that_another_is_to_get()
    {
        await File.WriteAllLinesAsync(Path.Combine(_state.FullName, "settings.env"), Enumerable.Range(20_000, 11_900).Select(p => $"A{p}_PORT={p}"));

        Assert.InRange(int.Parse(await PrintAsync("port_for NEW_PORT"), CultureInfo.InvariantCulture), 31_900, 31_999);
    }

    private async Task<string> PrintAsync(string call)
    {
        var (exitCode, output) = await Command.RunAsync(new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", $". {Repository.File("docker", "parts", "shell.sh")}; STATE={_state.FullName}; {call}"]));
        Assert.Equal(0, exitCode);
        return output.Trim();
    }
}
