using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Signup.EventLog;
using Signup.Gateway.Accounts;
using Signup.Gateway.Passwords;
using Signup.Gateway.SigningUp;
using Signup.Hosting.Calls;
using Signup.Messages.Accounts;

namespace Signup.Gateway.SigningIn;

/// <summary>What became of a sign-in.</summary>
public abstract record SignInOutcome
{
    public sealed record Opened(SignedInAccount Account) : SignInOutcome;

    /// <summary>There is no such account, or this is not its password.</summary>
    public sealed record Wrong : SignInOutcome;

    /// <summary>Too many tries.</summary>
    public sealed record TooMany(TimeSpan RetryAfter) : SignInOutcome;

    /// <summary>More passwords wait than can be hashed.</summary>
    public sealed record Busy(TimeSpan RetryAfter) : SignInOutcome;

    /// <summary>Whether it is right is not known now.</summary>
    public sealed record Unavailable : SignInOutcome;
}

/// <summary>
/// Finds out whether an address and a password belong together. Whatever is wrong, the same is asked of the same processes, and one password is hashed, so that neither
/// answer nor time says who has an account.
/// </summary>
public sealed partial class SignInDesk(
    HolderClient holders, SignInClient accounts, HashingPool pool, IOptions<HashingSettings> hashing, DerivedKeys keys, SignInLimits limits, AccountCommands commands,
    TakenAddresses taken, TimeProvider time, GatewayMetrics metrics, ILogger<SignInDesk> logger)
{
    /// <param name="email">As typed, and an address.</param>
    /// <param name="password">As <see cref="Password.Prepare"/> leaves it.</param>
    /// <param name="device">See <see cref="KnownDevices"/>.</param>
    public async Task<SignInOutcome> SignInAsync(string email, string password, IPAddress? client, (Guid AccountId, string Device)? device, CancellationToken cancellation)
    {
        var outcome = await TryAsync(email, password, client, device, cancellation);
        metrics.SignedIn(JsonNamingPolicy.SnakeCaseLower.ConvertName(outcome.GetType().Name));
        return outcome;
    }

    private async Task<SignInOutcome> TryAsync(string email, string password, IPAddress? client, (Guid AccountId, string Device)? device, CancellationToken cancellation)
    {
        var address = EmailAddress.Normalize(email);
        (string Account, string Client)? counted = null;
        var isKnown = false;
        try
        {
            Guid? holder = null;
            if (device is not null) isKnown = (holder = await holders.FindAsync(email, cancellation)) == device.Value.AccountId;
            if (limits.Refuse(address, isKnown ? device!.Value.Device : null, client, out counted) is { } wait) return new SignInOutcome.TooMany(wait);
            if (device is null) holder = await holders.FindAsync(email, cancellation);

            var nobody = keys.AccountId($"nobody/{address}");
            var accountId = holder ?? nobody;
            var salt = PasswordSalt.Parse(await accounts.SaltAsync(accountId, taken.AreHidden, cancellation));
            var hash = await HashAsync(salt ?? SaltOfNobody(nobody));
            if (await accounts.CheckAsync(accountId, email, hash, taken.AreHidden, cancellation) is not { } account) return new SignInOutcome.Wrong();
            limits.Succeeded(counted);
            if (salt!.Cost != Present) _ = RehashAsync(accountId, password, hash);
            return new SignInOutcome.Opened(account);
        }
        catch (HashingBusyException e)
        {
            limits.TakeBack(counted);
            return new SignInOutcome.Busy(e.RetryAfter);
        }
        catch (HttpRequestException)
        {
            limits.TakeBack(counted);
            return new SignInOutcome.Unavailable();
        }

        Task<string> HashAsync(PasswordSalt salt) => pool.HashAsync(password, salt.Salt, cancellation, salt.Cost);
    }

    private HashingCost Present => new() { MemoryKiB = hashing.Value.MemoryKiB, Passes = hashing.Value.Passes };

    /// <summary>Where hashes of several costs are about, so are those of people who are not there: which it is depends on the address alone, as it does for those who are.</summary>
    private PasswordSalt SaltOfNobody(Guid nobody)
    {
        HashingCost[] costs = [Present, .. hashing.Value.Earlier];
        var salt = keys.Salt(nobody);
        return new(costs[salt[0] % costs.Length], salt);
    }

    /// <summary>Nobody waits for it: what fails is done at the next sign-in.</summary>
    private async Task RehashAsync(Guid accountId, string password, string verified)
    {
        try
        {
            var anew = await pool.HashAnewAsync(password, CancellationToken.None);
            await commands.SendAsync(new RehashPassword(accountId, verified, anew, time.GetUtcNow()), CancellationToken.None);
        }
        catch (Exception e)
        {
            NotRehashed(logger, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "A password's hash was not made anew, which the next sign-in will do: {Reason}")]
    private static partial void NotRehashed(ILogger logger, string reason);
}
