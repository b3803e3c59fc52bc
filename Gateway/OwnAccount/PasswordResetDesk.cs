using Microsoft.Extensions.Options;
using Signup.EventLog;
using Signup.Gateway.Accounts;
using Signup.Gateway.Passwords;
using Signup.Gateway.SigningIn;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting;
using Signup.Messages.Accounts;

namespace Signup.Gateway.OwnAccount;

/// <summary>Takes to the command side who has forgotten a password. For an address that nobody has, the same is asked and sent: neither answer nor time says who has an account.</summary>
public sealed class PasswordResetDesk(
    HolderClient holders, QueryClient query, HashingPool pool, DerivedKeys keys, SignInLimits limits, AccountCommands commands, IOptions<PasswordResetSettings> settings, TimeProvider time)
{
    /// <returns>Why not; null: whatever is to happen will.</returns>
    public async Task<ChangeOutcome?> AskAsync(HttpContext http, Fields fields)
    {
        var texts = Client.Texts(http.Request);
        if ((fields.IsMalformed(Field.Email) ? Fault.NotText : SignUpValidation.CheckEmail(fields[Field.Email])) is { } fault) return new ChangeOutcome.Invalid(new FieldError(Field.Email, fault));
        if (Refuse(http) is { } tooMany) return tooMany;
        try
        {
            var email = fields[Field.Email]!.Trim();
            var accountId = await holders.FindAsync(email, http.RequestAborted) ?? keys.AccountId($"nobody/{EmailAddress.Normalize(email)}");
            var now = time.GetUtcNow();
            // As its token has it.
            var expires = DateTimeOffset.FromUnixTimeSeconds((now + settings.Value.Lifetime).ToUnixTimeSeconds());
            await commands.SendAsync(new RequestPasswordReset(accountId, email, expires, now), http.RequestAborted);
            return null;
        }
        catch (Exception e) when (e is BrokerUnavailableException or HttpRequestException)
        {
            return new ChangeOutcome.Refused(503, "unavailable", texts.UnavailableTitle, texts.ResetUnavailable, RetryAfter: TimeSpan.FromSeconds(5));
        }
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
        if ((fields.IsMalformed(Field.Password) ? Fault.NotText : SignUpValidation.CheckNewPassword(fields[Field.Password], account?.Username, account?.Email, out password)) is { } fault)
            return new ChangeOutcome.Invalid(new FieldError(Field.Password, fault));
        var hash = await pool.HashAnewAsync(password, http.RequestAborted);
        var verdict = await commands.AskAsync<AccountVerdict>(new ResetPassword(accountId, credentials, hash, time.GetUtcNow()), http.RequestAborted);
        return verdict?.Outcome switch
        {
            null => new ChangeOutcome.Undecided(),
            AccountOutcome.Done => new ChangeOutcome.Done(),
            _ => new ChangeOutcome.BadLink("token-used", texts.LinkOutdatedTitle, texts.ResetLinkUsed),
        };
    }

    private ChangeOutcome.Refused? Refuse(HttpContext http)
    {
        if (limits.Refuse(http.Connection.RemoteIpAddress) is not { } wait) return null;
        var texts = Client.Texts(http.Request);
        return new(429, "too-many-tries", texts.TooManyTitle, texts.TooManySignIns(Problems.Seconds(wait)), RetryAfter: wait);
    }
}
