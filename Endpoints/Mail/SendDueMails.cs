using System.Diagnostics;
using System.Numerics;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Operations;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;

namespace Signup.Mail;

/// <summary>
/// One loop for each connection to the provider: take a few mails that are due, send them one after the other, record what became of them. Whatever is
/// thrown, the loop goes on. However many mails are due, no more than a few are in memory; a process that dies loses what it had taken to whoever looks next.
/// </summary>
public sealed class SendDueMails(
    Activations activations, SentNotes notes, ActivationPolicy policy, MailComposer composer, Transports transports, Provider provider, CommandClient commands,
    Supervisor supervisor, MailSettings settings, SmtpSettings smtp, TimeProvider time) : BackgroundService
{
    /// <summary>A loop takes as many mails as it has sent in so long. Taking and recording many costs little more than taking one; but what it has taken, no other sends.</summary>
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(250);

    private const int MostInRound = 128;

    /// <summary>Between hearing of a mail that is due and taking it: others may follow. Nobody who has signed up sees a mail come so much sooner.</summary>
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(100);

    /// <summary>So long mails wait before a further connection is used, and twice as many for each time more: each that a crash cuts may cost a mail sent twice.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long mails that are on their way when the process is told to stop may take to arrive.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(8);

    /// <summary>The first connection has found nothing to do: so would the others.</summary>
    private volatile bool _rests;

    private readonly TaskCompletionSource _alive = new(TaskCreationOptions.RunContinuationsAsynchronously);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var hurry = new CancellationTokenSource();
        using var end = new CancellationTokenSource();
        await using var _ = stoppingToken.Register(() => hurry.CancelAfter(Grace));
        var life = ShowLifeAsync(end.Token);
        await _alive.Task.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll([
            .. Enumerable.Range(0, settings.Connections).Select(n => SendAsync(n, stoppingToken, hurry.Token)),
            supervisor.RepeatAsync("asking for expiries", () => AskForExpiriesAsync(stoppingToken), stoppingToken)]);
        await end.CancelAsync();
        await life;
    }

    private async Task ShowLifeAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            NpgsqlConnection? life = null;
            await supervisor.UntilDoneAsync("showing that it lives", async () => life = await activations.ShowLifeAsync(settings.Connections + 1, end), end);
            if (life is null) continue;
            _alive.TrySetResult();
            // Nobody notifies: this ends with the connection.
            await using (life) await life.WaitAsync(end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.Delay(Patience, time, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Asked before it is noted: after a crash in between it is asked again, which does no harm.</summary>
    private async Task AskForExpiriesAsync(CancellationToken stopping)
    {
        var taken = await activations.TakeAsync(settings.Connections, mails: false, MostInRound, TimeSpan.Zero, probe: false, stopping);
        var asked = 0;
        try
        {
            for (; asked < taken.Count; asked++)
            {
                var (state, now) = (taken[asked].State, time.GetUtcNow());
                using var cause = ((state.Cause ?? Cause.None) with { Actor = Topology.Mail, TraceParent = null }).Enter();
                await commands.SendAsync(Topology.Accounts, new ExpireAccount(state.AccountId, now), Guid.CreateVersion7(), CommandTimeout, stopping);
                await activations.ReleaseAsync(settings.Connections, state, s => policy.ExpiryAsked(s, now));
            }
        }
        finally
        {
            await Task.WhenAll(taken.Skip(asked).Select(t => activations.ReleaseAsync(settings.Connections, t.State)));
        }
        if (taken.Count == 0) await Task.Delay(settings.Poll, time, stopping);
    }

    // Mails

    private async Task SendAsync(int connection, CancellationToken stopping, CancellationToken hurry)
    {
        var patience = connection == 0 ? TimeSpan.Zero : Patience * (1 + BitOperations.Log2((uint)connection));
        var pause = connection == 0 || settings.Poll > Patience ? settings.Poll : Patience;
        var (batch, idleSince) = (1, time.GetTimestamp());
        await using var transport = transports.Open();
        await Task.Delay(patience, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await supervisor.RepeatAsync(NameOf(connection), async () =>
        {
            var begun = time.GetTimestamp();
            var probe = provider.Breaker.IsOpen;
            var may = connection < provider.Connections && (!probe || (connection == 0 && provider.MayProbe));
            var taken = may && (connection == 0 || !_rests) ? await activations.TakeAsync(connection, mails: true, batch, patience, probe, stopping) : [];
            if (connection == 0) _rests = taken.Count == 0;
            if (taken.Count > 0)
            {
                var sent = await SendAsync(connection, taken, transport, probe, stopping, hurry);
                idleSince = time.GetTimestamp();
                batch = (int)Math.Clamp(sent * (Round / time.GetElapsedTime(begun)), 1, MostInRound);
                return;
            }
            if (!may || time.GetElapsedTime(idleSince) > smtp.IdleTimeout) await transport.RestAsync(stopping);
            if (connection > 0) await Task.Delay(pause, time, stopping);
            else if (await activations.Changed.WaitAsync(pause, stopping)) await Task.Delay(Linger, time, stopping);
        }, stopping);
    }

    /// <returns>How many were tried.</returns>
    private async Task<int> SendAsync(int connection, IReadOnlyList<Taken> taken, ITransport transport, bool probe, CancellationToken stopping, CancellationToken hurry)
    {
        var waiting = new Queue<Taken>(taken);
        var records = new List<Record>();
        try
        {
            while (waiting.Count > 0 && !stopping.IsCancellationRequested && (probe || !provider.Breaker.IsOpen))
            {
                var mail = waiting.Dequeue();
                var (purpose, now) = (mail.Purpose!, time.GetUtcNow());
                // Until more is known. Should this mail alone be what throws, it goes behind the others.
                records.Add(new(mail.State, s => policy.PutOff(s, purpose, ours: true, now)));
                records[^1] = await SendAsync(mail, transport, GiveBackRestAsync, stopping, hurry);
                if (records[^1] is { Decide: null } or { Noted: false }) break;
            }
            return records.Count;
        }
        finally
        {
            await GiveBackRestAsync();
            await Task.WhenAll(records.Select(r => RecordAsync(connection, r, hurry)));
        }

        // At once where a mail takes long: others need not wait until it is through.
        Task GiveBackRestAsync()
        {
            var rest = waiting.Select(t => RecordAsync(connection, new Record(t.State, null), hurry)).ToList();
            waiting.Clear();
            return Task.WhenAll(rest);
        }
    }

    private async Task<Record> SendAsync(Taken taken, ITransport transport, Func<Task> takesLong, CancellationToken stopping, CancellationToken hurry)
    {
        var (state, purpose, now) = (taken.State, taken.Purpose!, time.GetUtcNow());
        if (taken.Sent is { } at) return new(state, s => policy.Sent(s, purpose, at));
        if (ActivationPolicy.IsTooLate(state, now)) return new(state, s => policy.Refused(s, purpose, ActivationPolicy.TooLate, now));
        using var mail = composer.Compose(state, purpose, policy.LinkExpires(state, now), now);
        if (mail is null) return new(state, s => policy.Refused(s, purpose, "address-invalid", now));

        var sending = SendAsync(mail, transport, state.Cause?.TraceParent, stopping, hurry);
        await ((Task)sending).WaitAsync(Patience, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!sending.IsCompleted) await takesLong();
        await ((Task)sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // The end came first. It may or may not have arrived, and will be sent again.
        if (sending.IsCanceled) return new(state, null);
        var outcome = await sending;
        now = time.GetUtcNow();
        provider.Answered(outcome, mail.To.Mailboxes.Single().Domain);
        return outcome switch
        {
            Outcome.Accepted => new(state, s => policy.Sent(s, purpose, now), Noted: await NoteAsync(state.Id, purpose, now)),
            Outcome.Refused refused => new(state, s => policy.Refused(s, purpose, refused.Reason, now)),
            Outcome.TooFast { Named: true } => new(state, s => policy.PutOff(s, purpose, ours: true, now)),
            Outcome.PutOff putOff => new(state, s => policy.PutOff(s, purpose, putOff.Ours, now)),
            Outcome.Interrupted { MayHaveArrived: true } => new(state, s => policy.Interrupted(s, purpose, now)),
            Outcome.Interrupted => new(state, s => policy.PutOff(s, purpose, ours: true, now)),
            _ => new(state, null),
        };
    }

    private async Task<Outcome> SendAsync(MimeKit.MimeMessage mail, ITransport transport, string? trace, CancellationToken stopping, CancellationToken hurry)
    {
        await provider.TurnAsync(stopping);
        using var activity = Tracing.Continue("send mail", ActivityKind.Client, trace);
        var outcome = await transport.SendAsync(mail, hurry);
        activity?.SetTag("signup.mail.outcome", outcome.GetType().Name);
        if (outcome is not Outcome.Accepted) activity?.SetStatus(ActivityStatusCode.Error);
        return outcome;
    }

    /// <returns>False where the database cannot note it now. It is recorded next, as soon as that can be done.</returns>
    private async Task<bool> NoteAsync(Guid id, string purpose, DateTimeOffset at)
    {
        try
        {
            await notes.NoteAsync(id, purpose, at);
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }

    /// <summary>However long it takes: what the provider has taken must not be forgotten.</summary>
    private Task RecordAsync(int connection, Record record, CancellationToken hurry) =>
        supervisor.UntilDoneAsync(NameOf(connection), () => activations.ReleaseAsync(connection, record.State, record.Decide), hurry);

    private static string NameOf(int connection) => $"connection {connection + 1}";

    /// <summary>What became of a mail that was taken.</summary>
    /// <param name="Decide">Null: nothing. It is due as before.</param>
    /// <param name="Noted">False: only this process knows that the provider has it.</param>
    private sealed record Record(Activation State, Func<Activation?, Decision>? Decide, bool Noted = true);
}
