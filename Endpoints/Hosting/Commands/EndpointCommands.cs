using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Signup.Hosting.Commands;

/// <summary>What an endpoint's program does instead of starting: <c>./run &lt;Endpoint&gt; &lt;command&gt; …</c>.</summary>
public static class EndpointCommands
{
    /// <summary>The exit code where what was typed was not understood. A command's own is 0, or 1 where it has found what it looks for, or failed.</summary>
    public const int Misunderstood = 2;

    private const int Interrupted = 130;

    /// <summary>So long a command may take to end once it was told to.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>Runs what <paramref name="args"/> begin with: a command, <c>--help</c> or <c>--version</c>. Null where it is none of these: the endpoint is to start, and what stands there are settings.</summary>
    /// <param name="summary">What the program is, in a sentence.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int?> TryRunAsync(string[] args, string summary, params Command[] commands)
    {
        var root = new RootCommand(summary);
        foreach (var command in commands) root.Subcommands.Add(command);
        if (args.Length == 0 || (args[0].StartsWith('-') && !root.Options.Any(o => o.Name == args[0] || o.Aliases.Contains(args[0])))) return null;
        var parsed = root.Parse(args);
        var misunderstood = parsed.Errors.Count > 0;
        var exitCode = await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = Patience, Output = misunderstood ? Console.Error : Console.Out });
        return misunderstood ? Misunderstood : exitCode;
    }

    /// <summary>Says what the command does.</summary>
    /// <param name="run">Returns the exit code.</param>
    public static Command Runs(this Command command, Func<Invocation, CancellationToken, Task<int>> run)
    {
        command.SetAction(async (parsed, cancellation) =>
        {
            var error = parsed.InvocationConfiguration.Error;
            try
            {
                var configuration = new ConfigurationBuilder().SetBasePath(AppContext.BaseDirectory).AddJsonFile("appsettings.json", optional: true).AddEnvironmentVariables().Build();
                return await run(new Invocation(parsed, configuration), cancellation);
            }
            catch (UsageException e)
            {
                await error.WriteLineAsync($"{e.Message} See {command.Name} --help.");
                return Misunderstood;
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                await error.WriteLineAsync("\nStopped.");
                return Interrupted;
            }
            catch (Exception e) when (e is NpgsqlException or InvalidOperationException or IOException or FormatException)
            {
                await error.WriteLineAsync($"\n{command.Name} failed: {e.Message}");
                return 1;
            }
        });
        return command;
    }
}

/// <summary>The options do not go together. The message says what to type instead.</summary>
public sealed class UsageException(string message) : Exception(message);
