using System.Threading.Channels;
using Npgsql;
using Signup.Hosting;
using Signup.Messages.Accounts;

namespace Signup.Mail;

/// <summary>
/// Takes mails that are due from the database, a few more than are being sent, and sends them over several connections.
/// However many are due, no more than that is in memory. A process that dies loses the mails it had taken to whoever looks next.
/// </summary>
public sealed partial class SendDueMails(
    Activations activations, ActivationPolicy policy, MailComposer composer, Transports transports, Provider provider,
    CommandClient commands, MailSettings settings, SmtpSettings smtp, TimeProvider time, ILogger<SendDueMails> logger) : BackgroundService
{
    /// <summary>Mails in memory per connection: enough to keep a fast one busy while more are being taken.</summary>
    private const int TakenPerConnection = 16;

    private static readonly TimeSpan ReclaimEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long mails that are on their way when the process is told to stop may take to arrive.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(8);

    private readonly int _owner = Random.Shared.Next(1, int.MaxValue);
    private readonly TaskCompletionSource _alive = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<Taken> _queue = Channel.CreateUnbounded<Taken>();
    private readonly Signal _room = new();
    private int _inHand;

    private int Most => settings.Connections * TakenPerConnection;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var hurry = new CancellationTokenSource();
        await using var _ = stoppingToken.Register(() => hurry.CancelAfter(Grace));
        var life = ShowLifeAsync(stoppingToken);
        await _alive.Task.WaitAsync(stoppingToken);
        var senders = Enumerable.Range(0, settings.Connections).Select(_ => SendAllAsync(stoppingToken, hurry.Token)).ToArray();
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
        var (allowed, pause) = provider.Allowance(Most - Volatile.Read(ref _inHand));
        // Few large takes cost less than many small ones.
        if (allowed == 0 || (allowed > 1 && allowed < Most / 2))
        {
            await _room.WaitAsync(pause > TimeSpan.Zero ? pause : settings.Poll, stopping);
            return;
        }
        var taken = await activations.TakeAsync(mails: true, allowed, _owner, time.GetUtcNow() + settings.Lease, stopping);
        Interlocked.Add(ref _inHand, taken.Count);
        foreach (var mail in taken) _queue.Writer.TryWrite(mail);
        if (taken.Count == 0) await activations.Due.WaitAsync(settings.Poll, stopping);
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

    private async Task SendAllAsync(CancellationToken stopping, CancellationToken hurry)
    {
        await using var transport = transports.Open();
        var recorded = Task.CompletedTask;
        while (await NextAsync(transport, stopping) is { } mail)
        {
            try
            {
                recorded = await SendAsync(transport, mail, recorded, stopping, hurry);
            }
            catch (OperationCanceledException) when (hurry.IsCancellationRequested)
            {
                // Whether the provider has it is not known. It will be sent again.
            }
            finally
            {
                Interlocked.Decrement(ref _inHand);
                _room.Set();
            }
        }
        await recorded;
    }

    /// <returns>Null at the end.</returns>
    private async Task<Taken?> NextAsync(ITransport transport, CancellationToken stopping)
    {
        if (stopping.IsCancellationRequested) return null;
        if (_queue.Reader.TryRead(out var ready)) return ready;
        using var rest = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        rest.CancelAfter(smtp.IdleTimeout);
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await _queue.Reader.WaitToReadAsync(rest.Token);
                if (_queue.Reader.TryRead(out var next)) return next;
            }
            catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
            {
                await transport.RestAsync(stopping);
                await _queue.Reader.WaitToReadAsync(stopping).AsTask().ContinueWith(_ => { }, TaskScheduler.Default);
                if (_queue.Reader.TryRead(out var next)) return next;
            }
            catch (OperationCanceledException)
            {
                return null;
            }
        }
        return null;
    }

    /// <param name="recorded">Completes when it is in the database what became of this connection's previous mail. The end of the next one
    /// waits for that, so that a crash never leaves more than one mail a connection of which nobody knows whether it was sent.</param>
    /// <returns>The same for this mail.</returns>
    private async Task<Task> SendAsync(ITransport transport, Taken taken, Task recorded, CancellationToken stopping, CancellationToken hurry)
    {
        var (state, purpose, now) = (taken.State, taken.Due.Purpose, time.GetUtcNow());
        if (purpose is null)
        {
            await AskForExpiryAsync(taken, stopping);
            return recorded;
        }
        // What waited here so long that it may soon be someone else's is left to them.
        if (now + smtp.MailTimeout > taken.Until) return recorded;
        var mail = composer.Compose(state, purpose, policy.LinkExpires(state, now), now);
        Outcome outcome;
        if (mail is null)
        {
            outcome = new Outcome.Refused("address-invalid");
        }
        else
        {
            using (mail)
            {
                if (!provider.MaySend())
                {
                    await activations.GiveBackAsync([state.AccountId], _owner, hurry);
                    return recorded;
                }
                outcome = await transport.SendAsync(mail, recorded, hurry);
            }
            provider.Answered(outcome);
        }
        await recorded;
        return RecordAsync(state.AccountId, purpose, outcome, hurry);
    }

    private async Task RecordAsync(Guid accountId, string purpose, Outcome outcome, CancellationToken hurry)
    {
        var now = time.GetUtcNow();
        Func<Activation?, Decision>? decide = outcome switch
        {
            Outcome.Accepted => state => policy.Sent(state, purpose, now),
            Outcome.Refused refused => state => policy.Refused(state, purpose, refused.Reason, now),
            Outcome.PutOff => state => policy.PutOff(state, purpose, now),
            Outcome.Trouble { InMail: true } => state => policy.Interrupted(state, purpose, now),
            _ => null,
        };
        await RepeatUntilDoneAsync(
            () => decide is null ? activations.GiveBackAsync([accountId], _owner, hurry) : activations.DecideAsync(accountId, decide), hurry);
    }

    // Living

    /// <summary>Shows others that this process lives, and looks for what dead ones had taken.</summary>
    private async Task ShowLifeAsync(CancellationToken stopping)
    {
        NpgsqlConnection? life = null;
        try
        {
            await RepeatAsync(async cancellation =>
            {
                try
                {
                    life ??= await activations.ShowLifeAsync(_owner, cancellation);
                    _alive.TrySetResult();
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

    private async Task RepeatUntilDoneAsync(Func<Task> work, CancellationToken hurry)
    {
        for (var faults = 0; ; faults++)
        {
            try
            {
                await work();
                return;
            }
            catch (Exception e) when (!hurry.IsCancellationRequested)
            {
                if (faults == 0) Failing(logger, e);
                await Task.Delay(PauseAfter(faults), time, hurry).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception e)
            {
                Failing(logger, e);
                return;
            }
        }
    }

    private static TimeSpan PauseAfter(int faults) => TimeSpan.FromMilliseconds(Math.Min(200 * Math.Pow(2, faults), 15_000));

    [LoggerMessage(Level = LogLevel.Error, Message = "Mails cannot be taken or recorded; trying again until they can")]
    private static partial void Failing(ILogger logger, Exception e);

    [LoggerMessage(Level = LogLevel.Information, Message = "Took over {Count} mails of a process that died")]
    private static partial void Reclaimed(ILogger logger, int count);
}
