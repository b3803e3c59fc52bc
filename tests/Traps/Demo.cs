using Spectre.Console;

namespace Signup.Tests.Traps;

/// <summary>Five of the traps, live: each sprung and survived while one watches, and then waits to be looked at.</summary>
public static class Demo
{
    private sealed record Scene(string Title, Func<Stage, Task> Play, string LookAt);

    private static readonly Scene[] Scenes =
    [
        new("Save, then send", s => new dual_write_save_then_send(s).killed_in_between_nobody_hears_of_the_account_but_whatever_is_in_the_log_is_told_by_whoever_is_alive(),
            "Endpoints/Hosting/Following/EventPublisher.cs: what is behind its checkpoint is what is still to be told."),
        new("Look whether it is free, then write", s => new looking_into_the_read_model_first(s).two_who_look_at_once_both_get_it_but_the_primary_key_on_claims_gives_it_to_one(),
            "Endpoints/Uniqueness/ClaimBatch.cs: claim and event, in one transaction."),
        new("A lock with a time to live", s => new lock_with_a_time_to_live(s).a_pause_outlives_it_and_two_hold_it_but_who_pauses_in_a_transaction_comes_back_to_none(),
            "Endpoints/Uniqueness/ClaimBatch.cs: for how long a transaction may be idle before the database ends it."),
        new("Read on from the last position", s => new greater_than_the_last_position(s).an_event_that_is_committed_late_is_skipped_for_ever_but_the_gap_free_reader_waits_before_the_gap(),
            "Endpoints/EventLog/LogReader.cs: how it knows that nobody can fill a gap any more."),
        new("Note where you are, then send the mail", s => new checkpoint_before_the_mail(s).killed_in_between_the_mail_is_never_sent_but_noted_after_it_at_worst_one_mail_comes_twice_as_the_same(),
            "Endpoints/Mail/SendDueMails.cs, and Activations.cs: sent, then noted, and a Message-ID that follows from the account."),
    ];

    /// <param name="input">Where Enter is awaited after each; it goes on by itself where that is at its end.</param>
    public static async Task RunAsync(Stage stage, IAnsiConsole terminal, TextReader input)
    {
        Story.Terminal = terminal;
        try
        {
            Story.Tell("Five ways to lose a user's sign-up, each tried for real, and what this system does under the same blow. The story behind them, and seven more, is in docs/traps.md.");
            var database = new NpgsqlConnectionStringBuilder(stage.System.Parts.Postgres);
            Story.Tell($"While it waits you can look around: the gateway is at {stage.System.GatewayUrl}, the log is the schema 'log' of");
            // Not wrapped: it is to be copied.
            terminal.Profile.Out.Writer.WriteLine($"  postgresql://{database.Username}:{database.Password}@{database.Host}:{database.Port}/{database.Database}");
            for (var n = 0; n < Scenes.Length; n++)
            {
                terminal.WriteLine();
                terminal.Write(new Rule($"[bold]{n + 1} of {Scenes.Length}: {Markup.Escape(Scenes[n].Title)}[/]") { Justification = Justify.Left });
                await Scenes[n].Play(stage);
                Story.Tell($"Look at {Scenes[n].LookAt}");
                Story.Tell(n + 1 < Scenes.Length ? "Enter for the next one." : "Enter ends it. `./test traps` runs all of them.");
                await input.ReadLineAsync();
            }
        }
        finally
        {
            Story.Terminal = null;
        }
    }
}
