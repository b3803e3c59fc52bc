using System.Diagnostics;
using System.Threading.Channels;
using Npgsql;
using Signup.Hosting;
using Signup.Messages.Accounts;

namespace Signup.Mail;

/// <summary>
/// Takes mails that are due from the database, a few more than are being sent, and sends them over one connection, or several.
/// However many are due, no more than that is in memory. A process that dies loses the mails it had taken to whoever looks next.
/// </summary>
public sealed partial class SendDueMails(
    Activations activations, ActivationPolicy policy, MailComposer composer, Transports transports, Provider provider, CommandClient commands,
    MailSettings settings, SmtpSettings smtp, TimeProvider time, ILogger<SendDueMails> logger) : BackgroundService
{
    /// <summary>Mails in memory per connection, of up to eight: enough to keep fast ones busy while more are being taken, and others recorded.</summary>
    private const int TakenPerConnection = 64;

    private static readonly TimeSpan ReclaimEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long mails that are on their way when the process is told to stop may take to arrive.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(8);

    private readonly int _owner = Random.Shared.Next(1, int.MaxValue);
    private readonly TaskCompletionSource<SentJournal> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<Taken> _queue = Channel.CreateUnbounded<Taken>();
    private readonly Lanes _lanes = new(transports.First, transports.Most, time);
    private readonly Signal _room = new();

    /// <summary>Mails that were taken, and of which the database does not know yet what became of them.</summary>
    private int _inHand;

    private int Most => TakenPerConnection * Math.Min(transports.Most, 8);

    public override void Dispose()
    {
        _lanes.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var hurry = new CancellationTokenSource();
        await using var _ = stoppingToken.Register(() => hurry.CancelAfter(Grace));
        provider.Watch(() => _lanes.Allowed, () => Volatile.Read(ref _inHand));
        var life = ShowLifeAsync(stoppingToken);
        using var journal = await _ready.Task.WaitAsync(stoppingToken);
        var senders = Enumerable.Range(0, transports.Most).Select(_ => SendAllAsync(journal, stoppingToken, hurry.Token)).ToArray();
        await Task.WhenAll(RepeatAsync(TakeMailsAsync, stoppingToken), RepeatAsync(AskForExpiriesAsync, stoppingToken));
        await Task.WhenAll(senders);
        var left = new List<Guid>();
        while (_queue.Reader.TryRead(out var taken)) left.Add(taken.State.AccountId);
        await activations.GiveBackAsync(left, _owner, hurry.Token);
        await life;
    }

    // Taking

    private async Task TakeMailsAsync(CancellationToken stopping)
    {
        _lanes.Look(_queue.Reader.Count > 0);
        var inHand = Volatile.Read(ref _inHand);
        var (allowed, pause) = provider.Allowance(Most - inHand);
        // Few large takes cost less than many small ones.
        if (allowed <= 0 || (allowed > 1 && inHand > Most / 2))
        {
            await _room.WaitAsync(pause > TimeSpan.Zero ? pause : LookEvery, stopping);
            return;
        }
        // Counted first, so that there is no moment at which a mail is taken and nothing is said to be in hand.
        Interlocked.Add(ref _inHand, allowed);
        IReadOnlyList<Taken> taken = [];
        try
        {
            taken = await activations.TakeAsync(mails: true, allowed, _owner, time.GetUtcNow() + settings.Lease, stopping);
        }
        finally
        {
            Interlocked.Add(ref _inHand, taken.Count - allowed);
        }
        foreach (var mail in taken) _queue.Writer.TryWrite(mail);
        if (taken.Count == 0) await activations.Due.WaitAsync(inHand > 0 && LookEvery < settings.Poll ? LookEvery : settings.Poll, stopping);
    }

    private async Task AskForExpiriesAsync(CancellationToken stopping)
    {
        var taken = await activations.TakeAsync(mails: false, TakenPerConnection, _owner, time.GetUtcNow() + settings.Lease, stopping);
        for (var i = 0; i < taken.Count; i++)
        {
            try
            {
                await AskForExpiryAsync(taken[i], stopping);
            }
            catch
            {
                await activations.GiveBackAsync([.. taken.Skip(i).Select(t => t.State.AccountId)], _owner, stopping);
                throw;
            }
        }
        if (taken.Count == 0) await Task.Delay(settings.Poll, time, stopping);
    }

    /// <summary>Asked before it is noted: after a crash in between it is asked again, which does no harm.</summary>
    private async Task AskForExpiryAsync(Taken taken, CancellationToken stopping)
    {
        var (id, now) = (taken.State.AccountId, time.GetUtcNow());
        await commands.SendAsync(Topology.Accounts, new ExpireAccount(id, now), Guid.CreateVersion7(), CommandTimeout, stopping);
        await activations.DecideAsync(id, state => policy.ExpiryAsked(state, now));
    }

    // Sending

    /// <summary>One connection's work, for as long as the process lives.</summary>
    private async Task SendAllAsync(SentJournal journal, CancellationToken stopping, CancellationToken hurry)
    {
        await using var transport = transports.Open();
        var recording = new List<Task>();
        try
        {
            while (true)
            {
                await _queue.Reader.WaitToReadAsync(stopping);
                await _lanes.EnterAsync(stopping);
                await UseLaneAsync(transport, journal, recording, stopping, hurry);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The end. A mail that was on its way after the grace may or may not have arrived: it will be sent again.
        }
        await Task.WhenAll(recording);
    }

    /// <summary>Sends until there is nothing to send for a while, or the provider wants fewer connections.</summary>
    private async Task UseLaneAsync(ITransport transport, SentJournal journal, List<Task> recording, CancellationToken stopping, CancellationToken hurry)
    {
        var lost = false;
        try
        {
            while (!lost && await NextAsync(stopping) is { } mail)
            {
                lost = !await SendAsync(transport, journal, mail, recording, stopping, hurry);
                _lanes.Look(_queue.Reader.Count > 0);
            }
            if (!lost) await transport.RestAsync(stopping);
        }
        finally
        {
            if (!lost) _lanes.Leave();
        }
    }

    /// <returns>Null where none has come in the time that a connection may rest.</returns>
    private async Task<Taken?> NextAsync(CancellationToken stopping)
    {
        stopping.ThrowIfCancellationRequested();
        if (_queue.Reader.TryRead(out var ready)) return ready;
        using var rest = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        rest.CancelAfter(smtp.IdleTimeout);
        try
        {
            return await _queue.Reader.ReadAsync(rest.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <param name="recording">Gets what goes on after this returns.</param>
    /// <returns>False where the lane is lost.</returns>
    private async Task<bool> SendAsync(ITransport transport, SentJournal journal, Taken taken, List<Task> recording, CancellationToken stopping, CancellationToken hurry)
    {
        var (state, purpose, now) = (taken.State, taken.Due.Purpose, time.GetUtcNow());
        // What waited here so long that it may soon be someone else's is left to them.
        if (purpose is null || now + smtp.MailTimeout > taken.Until)
        {
            Done();
            if (purpose is null) await AskForExpiryAsync(taken, stopping);
            return true;
        }
        using var mail = composer.Compose(state, purpose, policy.LinkExpires(state, now), now);
        if (mail is not null && !provider.MaySend())
        {
            Record(state.AccountId, null, null);
            return true;
        }
        var outcome = mail is null ? new Outcome.Refused("address-invalid") : await SendAsync(transport, mail, state.Trace, hurry);
        if (outcome is Outcome.Trouble { InMail: false } && provider.HasServedSince(now - smtp.Timeout) && _lanes.TryNarrow())
        {
            Record(state.AccountId, null, null);
            return false;
        }
        var at = time.GetUtcNow();
        var note = outcome is Outcome.Accepted ? journal.Note(new SentMail(state.AccountId, purpose, at)) : null;
        if (mail is not null && !provider.Answered(outcome)) _lanes.Forgive();
        Record(state.AccountId, outcome switch
        {
            Outcome.Accepted => s => policy.Sent(s, purpose, at),
            Outcome.Refused refused => s => policy.Refused(s, purpose, refused.Reason, at),
            Outcome.PutOff => s => policy.PutOff(s, purpose, at),
            Outcome.Trouble { InMail: true } => s => policy.Interrupted(s, purpose, at),
            _ => null,
        }, note);
        return true;

        void Record(Guid id, Func<Activation?, Decision>? decide, IDisposable? noted)
        {
            if (recording.Count > TakenPerConnection) recording.RemoveAll(t => t.IsCompleted);
            recording.Add(RecordAsync(id, decide, noted, hurry));
        }
    }

    private static async Task<Outcome> SendAsync(ITransport transport, MimeKit.MimeMessage mail, string? trace, CancellationToken hurry)
    {
        using var activity = Tracing.Continue("send mail", ActivityKind.Client, trace);
        var outcome = await transport.SendAsync(mail, hurry);
        activity?.SetTag("signup.mail.outcome", outcome.GetType().Name);
        if (outcome is not Outcome.Accepted) activity?.SetStatus(ActivityStatusCode.Error);
        return outcome;
    }

    /// <param name="decide">Null: nothing came of it, the mail goes back.</param>
    private async Task RecordAsync(Guid accountId, Func<Activation?, Decision>? decide, IDisposable? note, CancellationToken hurry)
    {
        var known = await RepeatUntilDoneAsync(
            () => decide is null ? activations.GiveBackAsync([accountId], _owner, hurry) : activations.DecideAsync(accountId, decide), hurry);
        if (known) note?.Dispose();
        Done();
    }

    private void Done()
    {
        Interlocked.Decrement(ref _inHand);
        _room.Set();
    }

    // Living

    /// <summary>Shows others that this process lives, and looks for what dead ones had taken, or even sent.</summary>
    private async Task ShowLifeAsync(CancellationToken stopping)
    {
        NpgsqlConnection? life = null;
        SentJournal? journal = null;
        try
        {
            await RepeatAsync(async cancellation =>
            {
                try
                {
                    life ??= await activations.ShowLifeAsync(_owner, cancellation);
                    journal ??= new SentJournal(await activations.JournalAsync(settings.Journal, cancellation));
                    // First what they sent, then what they had taken: else the former would be sent again.
                    await journal.ReplayAsync(mail => activations.DecideAsync(mail.AccountId, state => policy.Sent(state, mail.Purpose, mail.At)));
                    _ready.TrySetResult(journal);
                    var reclaimed = await activations.ReclaimAsync(life, time.GetUtcNow() + settings.Lease, cancellation);
                    if (reclaimed > 0)
                    {
                        Reclaimed(logger, reclaimed);
                        activations.Due.Set();
                    }
                }
                catch
                {
                    if (life is not null) await life.DisposeAsync();
                    life = null;
                    throw;
                }
                await Task.Delay(ReclaimEvery, time, cancellation);
            }, stopping);
        }
        finally
        {
            if (life is not null) await life.DisposeAsync();
        }
    }

    /// <summary>Again and again until the process stops; after a fault with a growing pause, and a line in the log for the first of a row.</summary>
    private async Task RepeatAsync(Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        var faults = 0;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await work(stopping);
                faults = 0;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
            }
            catch (Exception e)
            {
                if (faults == 0) Failing(logger, e);
                await Task.Delay(PauseAfter(faults++), time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <returns>False where it was not to be done in time.</returns>
    private async Task<bool> RepeatUntilDoneAsync(Func<Task> work, CancellationToken hurry)
    {
        for (var faults = 0; ; faults++)
        {
            try
            {
                await work();
                return true;
            }
            catch (Exception e)
            {
                if (faults == 0) Failing(logger, e);
                if (hurry.IsCancellationRequested) return false;
                await Task.Delay(PauseAfter(faults), time, hurry).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static TimeSpan PauseAfter(int faults) => TimeSpan.FromMilliseconds(Math.Min(200 * Math.Pow(2, faults), 15_000));

    [LoggerMessage(Level = LogLevel.Error, Message = "Mails cannot be taken or recorded; trying again until they can")]
    private static partial void Failing(ILogger logger, Exception e);

    [LoggerMessage(Level = LogLevel.Information, Message = "Took over {Count} mails of a process that died")]
    private static partial void Reclaimed(ILogger logger, int count);
}
