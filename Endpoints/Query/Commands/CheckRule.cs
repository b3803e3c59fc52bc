using System.CommandLine;
using Dapper;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Commands;
using Signup.Query.Accounts;
using Signup.Query.Inspection;

namespace Signup.Query.Commands;

/// <summary>Checks a rule after every event, of one account or in the whole log, and names the event that first broke it. Every one: a rule may be broken, kept, and broken again, and a stream is short.</summary>
public sealed class CheckRule(NpgsqlDataSource database, LogReader log, IProgress<Done> progress)
{
    private const int PageSize = 2_000;

    public static Command Define()
    {
        var rule = new Option<Rule>("--rule")
        {
            HelpName = "RULE",
            Description = "Such as \"status = active implies mail = sent\".",
            Required = true,
            CustomParser = given =>
            {
                try
                {
                    return Rule.Parse(given.Tokens[0].Value);
                }
                catch (FormatException e)
                {
                    given.AddError(e.Message);
                    return null;
                }
            },
        };
        var account = LogOptions.Account();
        return new Command("check", "Checks a rule after every event, and names the event that first broke it. Exit code 1 where there is one.") { rule, account }.Runs(async (given, cancellation) =>
        {
            await using var database = given.OpenDatabase();
            var found = await ProgressBar.ShowAsync("accounts", progress => new CheckRule(database, given.OpenLog(database), progress).RunAsync(given.Get(rule)!, given.Get(account), cancellation));
            Console.WriteLine(found.Accounts == 0 ? "There is no such account." : found.First is not { } step ? $"The rule holds after each of {found.Events:N0} events." : Describe(found, step));
            return found.Accounts > 0 && found.First is null ? 0 : 1;
        });
    }

    /// <param name="First">By position; null where the rule was never broken.</param>
    /// <param name="Broken">How many accounts broke it at some time.</param>
    public sealed record Result(Step? First, int Broken, int Accounts, long Events);

    /// <param name="account">Null: all accounts.</param>
    public async Task<Result> RunAsync(Rule rule, Guid? account, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var total = account is null ? await connection.ExecuteScalarAsync<long>(new CommandDefinition($"select count(*) from {LogStore.Streams}", cancellationToken: cancellation)) : 1;
        var result = new Result(null, 0, 0, 0);
        progress.Report(new(0, total));
        var after = Guid.Empty;
        while (true)
        {
            var ids = account is { } one ? [one] : (await connection.QueryAsync<Guid>(new CommandDefinition(
                $"select id from {LogStore.Streams} where id > @after order by id limit @limit", new { after, limit = PageSize }, cancellationToken: cancellation))).ToArray();
            if (ids.Length == 0) break;
            after = ids[^1];
            foreach (var stream in (await History.ReadStreamsAsync(log, connection, ids, "true", cancellation)).GroupBy(e => e.StreamId))
            {
                var steps = Step.Of(stream).ToList();
                var broken = steps.Find(s => s.State is { } state && !rule.Holds(state));
                result = new Result(
                    broken is not null && (result.First is null || broken.Event.Position < result.First.Event.Position) ? broken : result.First,
                    result.Broken + (broken is null ? 0 : 1), result.Accounts + 1, result.Events + steps.Count);
            }
            progress.Report(new(result.Accounts, Math.Max(total, result.Accounts)));
            if (account is not null) break;
        }
        return result;
    }

    private static string Describe(Result found, Step step) => $"""
        First broken by {step.Event.Type}, version {step.Event.Version} of account {step.Event.StreamId},
        position {step.Event.Position}, {step.Event.At:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}{(found.Broken > 1 ? $"; {found.Broken:N0} of {found.Accounts:N0} accounts broke it" : "")}.
        What it changed:
        {string.Join('\n', step.Changes.Select(c => $"  {c.Field}: {c.Before ?? "(nothing)"} -> {c.After ?? "(nothing)"}"))}
        """;
}
