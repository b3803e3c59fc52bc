using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Signup.EventLog.Accounts;
using Signup.Gateway.Accounts;
using Signup.Gateway.Passwords;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;

namespace Signup.Gateway.SigningUp;

/// <summary>What became of a sign-up.</summary>
public abstract record SignUpOutcome
{
    /// <summary>It was taken.</summary>
    /// <param name="SignUpId">See <see cref="EventLog.Accounts.ProposalId"/>.</param>
    public abstract record Kept(Guid AccountId, Guid SignUpId) : SignUpOutcome;

    /// <summary>The event is in the log.</summary>
    public sealed record Created(Guid AccountId, Guid SignUpId) : Kept(AccountId, SignUpId);

    /// <summary>What becomes of it is told by mail, and nowhere else. See <see cref="TakenAddresses"/>.</summary>
    public sealed record ByMail(Guid AccountId, Guid SignUpId) : Kept(AccountId, SignUpId);

    /// <summary>Someone else has this <paramref name="What"/>, such as <c>email</c>.</summary>
    public sealed record Taken(string What) : SignUpOutcome;

    /// <summary>Something else was signed up under the same idempotency key.</summary>
    public sealed record KeyReused : SignUpOutcome;

    /// <summary>No verdict came in time. The command is in its queue, or on its way there, and will be decided.</summary>
    public sealed record Undecided(Guid AccountId, Guid SignUpId) : Kept(AccountId, SignUpId);

    /// <summary>The command could not be handed over. Nothing was kept.</summary>
    public sealed record Unavailable : SignUpOutcome;

    /// <summary>More passwords wait than can be hashed. Nothing was kept.</summary>
    public sealed record Busy(TimeSpan RetryAfter) : SignUpOutcome;

    /// <summary>The command side refuses what the gateway took for valid.</summary>
    public sealed record Refused : SignUpOutcome;
}

/// <summary>Takes a valid sign-up to the command side and brings back the verdict. The password goes no further than here.</summary>
public sealed class SignUpDesk(
    HashingPool pool, IOptions<HashingSettings> hashing, DerivedKeys keys, CommandClient commands, VerdictClient verdicts, TakenAddresses taken, IConfiguration settings, TimeProvider time, GatewayMetrics metrics)
{
    private readonly TimeSpan _replyTimeout = settings.GetValue("Signup:ReplyTimeout", TimeSpan.FromSeconds(5));

    /// <param name="key">An idempotency key: the same one with the same content is the same sign-up. Null: it is a new one.</param>
    /// <param name="once">Other content under this key is to be refused whatever became of the first.</param>
    public async Task<SignUpOutcome> SignUpAsync(string? key, ValidSignUp signUp, string language, bool once, CancellationToken cancellation)
    {
        var outcome = await AskAsync(key, signUp, language, once, cancellation);
        metrics.SignedUp(NameOf(outcome));
        return outcome;
    }

    private async Task<SignUpOutcome> AskAsync(string? key, ValidSignUp signUp, string language, bool once, CancellationToken cancellation)
    {
        try
        {
            var accountId = key is null ? Guid.CreateVersion7() : keys.AccountId(taken.AreHidden ? WithContent(key, signUp) : key);
            var hash = await pool.HashAsync(signUp.Password, keys.Salt(accountId), cancellation);
            var command = new SignUp(accountId, signUp.Username, signUp.Email, hash, language, time.GetUtcNow(), once, taken.AreHidden);
            var signUpId = ProposalId.OfSignUp(accountId, signUp.Username, signUp.Email, hash);
            if (taken.AreHidden)
            {
                await SendAsync(command, cancellation);
                return new SignUpOutcome.ByMail(accountId, signUpId);
            }
            var asked = Stopwatch.GetTimestamp();
            var verdict = await commands.AskAsync<Verdict>(Topology.Accounts, command, accountId, _replyTimeout, cancellation);
            if (verdict is not null) metrics.Decided(Stopwatch.GetElapsedTime(asked));
            if (key is not null && verdict is { Outcome: VerdictOutcome.NotUnique or VerdictOutcome.VersionConflict } && await FindFirstAsync(key, signUp, cancellation) is { } first) return first;
            return verdict?.Outcome switch
            {
                null => new SignUpOutcome.Undecided(accountId, signUpId),
                VerdictOutcome.Accepted => new SignUpOutcome.Created(accountId, signUpId),
                VerdictOutcome.NotUnique => Taken(verdict),
                VerdictOutcome.VersionConflict => new SignUpOutcome.KeyReused(),
                _ => new SignUpOutcome.Refused(),
            };
        }
        catch (HashingBusyException e)
        {
            return new SignUpOutcome.Busy(e.RetryAfter);
        }
        catch (Exception e) when (e is BrokerUnavailableException or HttpRequestException)
        {
            return new SignUpOutcome.Unavailable();
        }
    }

    /// <summary>Were the same account asked for with other content, what becomes of that would tell whether the first address was taken: whoever signs up with a stranger's, and then with their own, would get a mail
    /// in the one case, and none in the other. So other content is another sign-up.</summary>
    private static string WithContent(string key, ValidSignUp signUp) => $"{key}\n{signUp.Username}\n{signUp.Email}";

    /// <exception cref="BrokerUnavailableException">Nothing was kept.</exception>
    private async Task SendAsync(SignUp command, CancellationToken cancellation)
    {
        try
        {
            await commands.SendAsync(Topology.Accounts, command, command.AccountId, _replyTimeout, cancellation);
        }
        catch (BrokerUnavailableException e) when (e.MayBeThere)
        {
            // It is on its way.
        }
    }

    /// <summary>Account and hash are derived from the signing key, and at a certain cost: a sign-up that comes again after either was changed is another one by its ids.
    /// What became of it under the others that are configured was decided then.</summary>
    /// <exception cref="HttpRequestException">Uniqueness cannot be asked.</exception>
    private async Task<SignUpOutcome?> FindFirstAsync(string key, ValidSignUp signUp, CancellationToken cancellation)
    {
        HashingCost?[] costs = [null, .. hashing.Value.Earlier];
        foreach (var (derived, cost) in costs.Skip(1).Select(c => (keys, c)).Concat(keys.Others.SelectMany(k => costs.Select(c => (k, c)))))
        {
            var accountId = derived.AccountId(key);
            var hash = await pool.HashAsync(signUp.Password, derived.Salt(accountId), cancellation, cost);
            var signUpId = ProposalId.OfSignUp(accountId, signUp.Username, signUp.Email, hash);
            switch (await verdicts.AskAsync(accountId, signUpId, cancellation))
            {
                case { Outcome: VerdictOutcome.Accepted }: return new SignUpOutcome.Created(accountId, signUpId);
                case { Outcome: VerdictOutcome.NotUnique } no: return Taken(no);
            }
        }
        return null;
    }

    private static SignUpOutcome.Taken Taken(Verdict no) => new(no.Constraint ?? "email");

    private static string NameOf(SignUpOutcome outcome) => JsonNamingPolicy.SnakeCaseLower.ConvertName(outcome.GetType().Name);
}
