using JasperFx.CodeGeneration;
using JasperFx.CodeGeneration.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Wolverine;

namespace Signup.Hosting;

/// <summary>
/// The code that Wolverine writes around each handler. It lies beside the handlers, in Internal/Generated, and is compiled with them, rather than
/// written and compiled by each process at its start. A test compares it with what would be written now, and <c>APPROVE=1 ./test written_now</c> writes it anew.
/// Where it no longer fits a handler and so cannot be compiled, delete the folder first.
/// </summary>
public static class GeneratedCode
{
    /// <summary>The setting that names a folder to write it to, instead of running: <c>--codegen FOLDER</c>.</summary>
    private const string Setting = "codegen";

    /// <summary>Runs the endpoint until it is told to stop.</summary>
    public static async Task RunEndpointAsync(this WebApplication app)
    {
        if (app.Configuration[Setting] is { Length: > 0 } folder) Write(app.Services, folder);
        else await app.RunAsync();
    }

    private static void Write(IServiceProvider services, string folder)
    {
        DynamicCodeBuilder.WithinCodegenCommand = true;
        services.GetRequiredService<WolverineOptions>().CodeGeneration.GeneratedCodeOutputPath = folder;
        var builder = new DynamicCodeBuilder(services, [.. services.GetServices<ICodeFileCollection>()])
        {
            ServiceVariableSource = services.GetService<IServiceVariableSource>(),
        };
        builder.WriteGeneratedCode(Console.WriteLine);
    }
}
