using Microsoft.Extensions.Options;
using Signup.EventLog;
using Signup.Gateway.Accounts;
using Signup.Gateway.Pages;
using Signup.Gateway.Passwords;
using Signup.Gateway.SigningIn;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting;
using Signup.Hosting.Calls;
using Signup.Hosting.Http;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;

namespace Signup.Gateway.OwnAccount;

/// <summary>Takes to the command side who has forgotten a password. For an address that nobody has, the same is asked and sent: neither answer nor time says who has an account.</summary>
public sealed class PasswordResetDesk(
    HolderClient holders, QueryClient query, HashingPool pool, DerivedKeys keys, SignInLimits limits, AccountCommands commands, IOptions<PasswordResetSettings> settings, TimeProvider time)
{
    /// <returns>Undecided, where an address was given, and for good: what becomes of it is between us and whoever has that address.</returns>
    /// <exception cref="HttpRequestException">Uniqueness cannot be asked.</exception>
    /// <exception cref="BrokerUnavailableException"/>
    public async Task<ChangeOutcome> AskAsync(HttpContext http, Fields fields)
    {
        if (fields.Check(Field.Email, SignUpValidation.CheckEmail) is { } fault) return new ChangeOutcome.Invalid(fault);
        if (Refuse(http) is { } tooMany) return tooMany;
        var email = fields[Field.Email]!.Trim();
        var accountId = await holders.FindAsync(email, http.RequestAborted) ?? keys.AccountId($"nobody/{EmailAddress.Normalize(email)}");
        var now = time.GetUtcNow();
        await commands.SendAsync(new RequestPasswordReset(accountId, email, SignedTokens.End(now, settings.Value.Lifetime), now), http.RequestAborted);
        return new ChangeOutcome.Undecided();
    }

    /// <param name="credentials">See <see cref="ResetPassword"/>.</param>
    /// <exception cref="HashingBusyException"/>
    /// <exception cref="QueryUnavailableException"/>
    /// <exception cref="BrokerUnavailableException"/>
    public async Task<ChangeOutcome> ChooseAsync(HttpContext http, Guid accountId, int credentials, Fields fields)
    {
        var texts = Client.Texts(http.Request);
        if (Refuse(http) is { } tooMany) return tooMany;
        var account = await query.FindAsync(accountId, http.RequestAborted);
        var password = "";
        if (fields.Check(Field.Password, typed => SignUpValidation.CheckNewPassword(typed, account?.Username, account?.Email, out password)) is { } fault) return new ChangeOutcome.Invalid(fault);
        var hash = await pool.HashAnewAsync(password, http.RequestAborted);
        var verdict = await commands.AskAsync<AccountVerdict>(new ResetPassword(accountId, credentials, hash, time.GetUtcNow()), http.RequestAborted);
        return verdict?.Outcome switch
        {
            null => new ChangeOutcome.Undecided(),
            AccountOutcome.Done => new ChangeOutcome.Done(),
            _ => new ChangeOutcome.BadLink("token-used", texts.LinkOutdatedTitle, texts.ResetLinkUsed, NextStep.NewLink),
        };
    }

    private ChangeOutcome.Refused? Refuse(HttpContext http)
    {
        if (limits.Refuse(http.Connection.RemoteIpAddress) is not { } wait) return null;
        var texts = Client.Texts(http.Request);
        return new(429, "too-many-tries", texts.TooManyTitle, texts.TooManySignIns(Problems.Seconds(wait)), RetryAfter: wait);
    }
}
