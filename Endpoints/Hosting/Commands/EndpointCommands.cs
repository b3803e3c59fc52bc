using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Configuration;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Archiving;

namespace Signup.Hosting.Commands;

/// <summary>A command that an endpoint's program runs instead of starting: <c>./run &lt;Endpoint&gt; &lt;command&gt; …</c>.</summary>
/// <param name="Usage">Its options, such as <c>--account ID [--repair]</c>; those in it are all it knows.</param>
/// <param name="RunAsync">Returns the exit code: 0, or 1 where it has found what it looks for, or failed.</param>
public sealed record Command(string Name, string Usage, string Summary, Func<CommandLine, CancellationToken, Task<int>> RunAsync);

/// <summary>What was typed behind the command's name.</summary>
public sealed class CommandLine
{
    private readonly Dictionary<string, string> _options;

    private CommandLine(IConfiguration configuration, Dictionary<string, string> options) => (Configuration, _options) = (configuration, options);

    public IConfiguration Configuration { get; }

    /// <summary>Whether the option was given.</summary>
    public bool Has(string option) => _options.ContainsKey(option);

    /// <summary>The option's value, or null where it was not given.</summary>
    public string? this[string option] => _options.GetValueOrDefault(option);

    /// <exception cref="UsageException">It was not given.</exception>
    public string Required(string option) => this[option] ?? throw new UsageException($"--{option} is missing.");

    /// <exception cref="UsageException">It is no id.</exception>
    public Guid? Id(string option) => this[option] is not { } text ? null
        : Guid.TryParse(text, out var id) ? id : throw new UsageException($"--{option} must be an id such as {Guid.Empty}.");

    /// <summary>ISO 8601; without an offset it is UTC.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public DateTimeOffset? Moment(string option) => this[option] is not { } text ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) ? moment
        : throw new UsageException($"--{option} must be a moment such as 2026-11-23T10:00:00Z.");

    /// <summary>The database of <c>ConnectionStrings__Postgres</c>.</summary>
    public NpgsqlDataSource OpenDatabase() => LogStore.Connect(Settings.Database(Configuration));

    /// <summary>The standby of <c>ConnectionStrings__PostgresReplica</c>; null where there is none.</summary>
    public LogReplica? OpenReplica() => LogReplica.Of(Configuration[Settings.Replica]);

    /// <summary>The log in that database, and what was dropped from it into the archive of <c>Archive__Target</c>.</summary>
    public LogReader OpenLog(NpgsqlDataSource database, bool asStored = false, LogReplica? replica = null) => new(database, new LogArchive(database, Settings.Archive(Configuration)), asStored, replica);

    /// <summary>Runs the command that <paramref name="args"/> begin with. Null where they begin with none: the endpoint is to start.</summary>
    /// <returns>The exit code: 2 where the command was not understood.</returns>
    public static async Task<int?> TryRunAsync(string[] args, params Command[] commands)
    {
        if (args.Length == 0 || args[0].StartsWith('-')) return null;
        if (Array.Find(commands, c => c.Name == args[0]) is not { } command)
        {
            await Console.Error.WriteLineAsync($"There is no command '{args[0]}'. Commands:");
            foreach (var c in commands) await Console.Error.WriteLineAsync($"  {c.Name} {c.Usage}\n      {c.Summary}");
            return 2;
        }
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            var configuration = new ConfigurationBuilder().SetBasePath(AppContext.BaseDirectory).AddJsonFile("appsettings.json", optional: true).AddEnvironmentVariables().Build();
            return await command.RunAsync(new CommandLine(configuration, Parse(args[1..], command)), stop.Token);
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync($"{e.Message}\nUsage: {command.Name} {command.Usage}");
            return 2;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("\nStopped.");
            return 130;
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException or IOException or FormatException)
        {
            await Console.Error.WriteLineAsync($"\n{command.Name} failed: {e.Message}");
            return 1;
        }

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }

    private static Dictionary<string, string> Parse(string[] args, Command command)
    {
        // The usage tells which options there are, and which have a value: a word in capitals behind the name.
        var words = command.Usage.Split([' ', '[', ']', '|'], StringSplitOptions.RemoveEmptyEntries);
        var options = new Dictionary<string, string>();
        for (var i = 0; i < args.Length; i++)
        {
            var parts = args[i].Split('=', 2);
            var at = Array.IndexOf(words, parts[0]);
            if (!parts[0].StartsWith("--", StringComparison.Ordinal) || at < 0) throw new UsageException($"'{args[i]}' means nothing here.");
            var takesValue = at + 1 < words.Length && !words[at + 1].StartsWith("--", StringComparison.Ordinal);
            if (!takesValue && parts.Length == 2) throw new UsageException($"{parts[0]} takes no value.");
            if (takesValue && parts.Length == 1 && i + 1 == args.Length) throw new UsageException($"{parts[0]} needs a value.");
            if (!options.TryAdd(parts[0][2..], !takesValue ? "" : parts.Length == 2 ? parts[1] : args[++i]))
                throw new UsageException($"{parts[0]} is given twice.");
        }
        return options;
    }
}

/// <summary>The command was not understood. The message says what to type instead.</summary>
public sealed class UsageException(string message) : Exception(message);
