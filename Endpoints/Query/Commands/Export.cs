using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Commands;
using Signup.Query.Accounts;

namespace Signup.Query.Commands;

/// <summary>How much of what is personal leaves the system.</summary>
public enum Disclosure
{
    /// <summary>All but secrets (a password's hash), which become empty.</summary>
    WithoutSecrets,
    /// <summary>Everything: a whole copy.</summary>
    Everything,
    /// <summary>Names and addresses are replaced, the same by the same, so that a history can be replayed in a test and nobody is known.</summary>
    Anonymous,
}

/// <summary>An event as a line of JSON.</summary>
/// <param name="Metadata">Who and what led to it, as the log has it (<see cref="Cause"/>); null where that is not known.</param>
public sealed record ExportedEvent(long Position, Guid StreamId, long Version, Guid EventId, string Type, DateTimeOffset At, JsonObject Data, JsonObject? Metadata = null);

/// <summary>Writes the log, or one account of it, as JSON lines, in order.</summary>
public sealed class Export(NpgsqlDataSource database, LogReader log, IProgress<Done> progress)
{
    private const int BatchSize = 5_000;

    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Define()
    {
        var until = LogOptions.Point("--until", "Up to there. Without it, to the end.");
        var account = LogOptions.Account();
        var to = new Option<string>("--to") { HelpName = "FILE", Description = "Where to write. Without it, to the standard output." };
        var secrets = new Option<bool>("--secrets") { Description = "With passwords' hashes, which else become empty: a whole copy." };
        var anonymous = new Option<bool>("--anonymous") { Description = "Names and addresses are replaced, the same by the same." };
        return new Command("export", "Writes the log as JSON lines, up to a moment or a position.") { until, account, to, secrets, anonymous }.Runs(async (given, cancellation) =>
        {
            if (given.Get(secrets) && given.Get(anonymous)) throw new UsageException("Either --secrets or --anonymous.");
            var disclosure = given.Get(secrets) ? Disclosure.Everything : given.Get(anonymous) ? Disclosure.Anonymous : Disclosure.WithoutSecrets;
            await using var database = given.OpenDatabase();
            var file = given.Get(to);
            await using var output = new StreamWriter(file is null ? Console.OpenStandardOutput() : File.Create(file), new UTF8Encoding(false));
            var written = await ProgressBar.ShowAsync("events", async progress =>
            {
                var export = new Export(database, given.OpenLog(database, asStored: true), progress);
                var end = given.Get(until) switch
                {
                    { Position: { } position } => position,
                    { Moment: { } moment } => await export.PositionAtAsync(moment, cancellation),
                    _ => long.MaxValue,
                };
                return await export.WriteAsync(output, end, given.Get(account), disclosure, cancellation);
            });
            await output.FlushAsync(cancellation);
            await Console.Error.WriteLineAsync($"{written:N0} events{(file is null ? "" : $" in {file}")}.");
            return 0;
        });
    }

    /// <returns>How many events were written.</returns>
    public async Task<long> WriteAsync(TextWriter output, long until, Guid? account, Disclosure disclosure, CancellationToken cancellation)
    {
        var key = RandomNumberGenerator.GetBytes(32);
        var written = 0L;
        if (account is { } id)
        {
            await using var connection = await database.OpenConnectionAsync(cancellation);
            foreach (var e in await History.ReadAsync(log, connection, id, long.MaxValue, cancellation))
                if (e.Position <= until) await WriteLineAsync(e);
            return written;
        }
        var end = Math.Min(until, await log.LastPositionAsync(cancellation));
        var after = 0L;
        progress.Report(new(after, end));
        while (after < end)
        {
            var events = await log.ReadAsync(after, BatchSize, cancellation);
            if (events.Count == 0)
            {
                // A transaction that may still fill the next position is running.
                await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
                continue;
            }
            foreach (var e in events.TakeWhile(e => e.Position <= end)) await WriteLineAsync(e);
            after = events[^1].Position;
            progress.Report(new(Math.Min(after, end), end));
        }
        return written;

        async Task WriteLineAsync(LoggedEvent e)
        {
            var data = Disclose(e, disclosure, key);
            var exported = new ExportedEvent(e.Position, e.StreamId, e.Version, e.EventId, e.Type, e.At, data, Metadata(e.Headers, disclosure, key));
            await output.WriteLineAsync(JsonSerializer.Serialize(exported, Json).AsMemory(), cancellation);
            written++;
        }
    }

    /// <summary>The last position that the log had reached at a moment.</summary>
    public async Task<long> PositionAtAsync(DateTimeOffset moment, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand($"select coalesce(max(seq_id), 0) from {LogStore.Events} where timestamp <= @moment");
        command.Parameters.AddWithValue("moment", moment.ToUniversalTime());
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <param name="key">Pseudonyms that are made with the same key are the same.</param>
    public static JsonObject Disclose(LoggedEvent e, Disclosure disclosure, byte[] key)
    {
        var data = JsonNode.Parse(e.Data)!.AsObject();
        if (disclosure == Disclosure.Everything) return data;
        var open = EventTypes.WithoutSecrets(e.Type, e.Data);
        foreach (var name in data.Select(p => p.Key).ToList())
        {
            // Secrets are texts.
            if (!open.ContainsKey(name) && data[name]?.GetValueKind() == JsonValueKind.String) data[name] = "";
            else if (disclosure == Disclosure.Anonymous && data[name] is JsonValue value && value.TryGetValue(out string? text))
            {
                // What nobody can read any more is empty.
                if (text.Length == 0) continue;
                if (name.EndsWith("email", StringComparison.OrdinalIgnoreCase)) data[name] = $"{Pseudonym(key, EmailAddress.Comparable(text))}@example.org";
                else if (name.EndsWith("username", StringComparison.OrdinalIgnoreCase)) data[name] = $"user-{Pseudonym(key, text)}";
                // An operator's, and what they have written.
                else if (name == "by") data[name] = Pseudonym(key, text);
                else if (name == "reason" && e.Type == nameof(EventLog.Operations.MessageDiscarded)) data[name] = "";
            }
        }
        return data;
    }

    /// <summary>Who and what led to an event. Other systems' ids may hold anything.</summary>
    /// <param name="headers">Of the event, as the log has them.</param>
    public static JsonObject? Metadata(string? headers, Disclosure disclosure, byte[] key)
    {
        if (headers is null || disclosure != Disclosure.Anonymous) return Parse(headers);
        var cause = Cause.Read(headers);
        return Parse((cause with
        {
            MessageId = Known(cause.MessageId),
            ConversationId = Known(cause.ConversationId),
            CorrelationId = Known(cause.CorrelationId),
            Actor = cause.Actor is { } actor && Actors.OperatorOf(actor) is { } name ? Actors.Operator(Pseudonym(key, name)) : cause.Actor,
        }).Headers);

        string? Known(string? id) => id is null || Guid.TryParse(id, out _) ? id : Pseudonym(key, id);
        static JsonObject? Parse(string? json) => json is null ? null : JsonNode.Parse(json) as JsonObject;
    }

    private static string Pseudonym(byte[] key, string text) => Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)))[..16];
}
