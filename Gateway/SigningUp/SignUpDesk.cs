using System.Diagnostics;
using System.Text.Json;
using Signup.EventLog.Accounts;
using Signup.Gateway.Passwords;
using Signup.Hosting;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;

namespace Signup.Gateway.SigningUp;

/// <summary>What became of a sign-up.</summary>
public abstract record SignUpOutcome
{
    /// <summary>It was taken.</summary>
    /// <param name="SignUpId">See <see cref="EventLog.Accounts.ProposalId"/>.</param>
    public abstract record Kept(Guid SignUpId) : SignUpOutcome;

    /// <summary>The event is in the log.</summary>
    public sealed record Created(Guid SignUpId) : Kept(SignUpId);

    /// <summary>Someone else has this <paramref name="What"/>, such as <c>email</c>.</summary>
    public sealed record Taken(string What) : SignUpOutcome;

    /// <summary>Something else was signed up under the same idempotency key.</summary>
    public sealed record KeyReused : SignUpOutcome;

    /// <summary>No verdict came in time. The command is in its queue, or on its way there, and will be decided.</summary>
    public sealed record Undecided(Guid SignUpId) : Kept(SignUpId);

    /// <summary>The command could not be handed over. Nothing was kept.</summary>
    public sealed record Unavailable : SignUpOutcome;

    /// <summary>More passwords wait than can be hashed. Nothing was kept.</summary>
    public sealed record Busy(TimeSpan RetryAfter) : SignUpOutcome;

    /// <summary>The command side refuses what the gateway took for valid.</summary>
    public sealed record Refused : SignUpOutcome;
}

/// <summary>Takes a valid sign-up to the command side and brings back the verdict. The password goes no further than here.</summary>
public sealed class SignUpDesk(HashingPool pool, DerivedKeys keys, CommandClient commands, IConfiguration settings, TimeProvider time, GatewayMetrics metrics)
{
    private readonly TimeSpan _replyTimeout = settings.GetValue("Signup:ReplyTimeout", TimeSpan.FromSeconds(5));

    /// <param name="accountId">Random, or derived from an idempotency key: the same id with the same content is the same sign-up.</param>
    /// <param name="once">Other content under this id is to be refused whatever became of the first.</param>
    public async Task<SignUpOutcome> SignUpAsync(Guid accountId, ValidSignUp signUp, string language, bool once, CancellationToken cancellation)
    {
        var outcome = await AskAsync(accountId, signUp, language, once, cancellation);
        metrics.SignedUp(NameOf(outcome));
        return outcome;
    }

    private async Task<SignUpOutcome> AskAsync(Guid accountId, ValidSignUp signUp, string language, bool once, CancellationToken cancellation)
    {
        try
        {
            var hash = await pool.HashAsync(signUp.Password, keys.Salt(accountId), cancellation);
            var command = new SignUp(accountId, signUp.Username, signUp.Email, hash, language, time.GetUtcNow(), once);
            var asked = Stopwatch.GetTimestamp();
            var verdict = await commands.AskAsync<Verdict>(Topology.Accounts, command, accountId, _replyTimeout, cancellation);
            if (verdict is not null) metrics.Decided(Stopwatch.GetElapsedTime(asked));
            var signUpId = ProposalId.OfSignUp(accountId, signUp.Username, signUp.Email, hash);
            return verdict?.Outcome switch
            {
                null => new SignUpOutcome.Undecided(signUpId),
                VerdictOutcome.Accepted => new SignUpOutcome.Created(signUpId),
                VerdictOutcome.NotUnique => new SignUpOutcome.Taken(verdict.Constraint ?? "email"),
                VerdictOutcome.VersionConflict => new SignUpOutcome.KeyReused(),
                _ => new SignUpOutcome.Refused(),
            };
        }
        catch (HashingBusyException e)
        {
            return new SignUpOutcome.Busy(e.RetryAfter);
        }
        catch (BrokerUnavailableException)
        {
            return new SignUpOutcome.Unavailable();
        }
    }

    private static string NameOf(SignUpOutcome outcome) => JsonNamingPolicy.SnakeCaseLower.ConvertName(outcome.GetType().Name);
}
