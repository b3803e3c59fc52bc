using Signup.EventLog;
using Signup.Gateway.Accounts;
using Signup.Gateway.Passwords;
using Signup.Gateway.SigningIn;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting;
using Signup.Messages.Accounts;

namespace Signup.Gateway.OwnAccount;

/// <summary>Takes a wish for another password to the command side. Tries are limited as sign-ins are: somebody may have found a device that is signed in.</summary>
public sealed class PasswordDesk(SignInClient accounts, HashingPool pool, SignInLimits limits, KnownDevices devices, AccountCommands commands, TimeProvider time)
{
    /// <exception cref="HashingBusyException"/>
    /// <exception cref="HttpRequestException">Accounts cannot be asked.</exception>
    /// <exception cref="BrokerUnavailableException"/>
    public async Task<ChangeOutcome> ChangeAsync(HttpContext http, SignedIn signedIn, Fields fields)
    {
        var (texts, account) = (Client.Texts(http.Request), signedIn.Account);
        string present = "", wanted = "";
        FieldError?[] errors =
        [
            fields.Check(Field.CurrentPassword, typed => SignUpValidation.ReadPassword(typed, out present)),
            fields.Check(Field.NewPassword, typed => SignUpValidation.CheckNewPassword(typed, account.Username, account.Email, out wanted)),
        ];
        if (errors.Any(e => e is not null)) return new ChangeOutcome.Invalid([.. errors.OfType<FieldError>()]);

        var device = devices.Read(http.Request) is { } known && known.AccountId == account.Id ? known.Device : null;
        if (limits.Refuse(EmailAddress.Normalize(account.Email!), device, http.Connection.RemoteIpAddress, out var counted) is { } wait)
            return new ChangeOutcome.Refused(429, "too-many-tries", texts.TooManyTitle, texts.TooManySignIns(Problems.Seconds(wait)), RetryAfter: wait);
        var isTried = false;
        try
        {
            if (PasswordSalt.Parse(await accounts.SaltAsync(account.Id, http.RequestAborted)) is not { } salt) return Wrong();
            var verified = await pool.HashAsync(present, salt.Salt, http.RequestAborted, salt.Cost);
            var anew = await pool.HashAnewAsync(wanted, http.RequestAborted);
            var verdict = await commands.AskAsync<AccountVerdict>(new ChangePassword(account.Id, signedIn.Session.Id, verified, anew, time.GetUtcNow()), http.RequestAborted);
            isTried = true;
            if (verdict is null) return new ChangeOutcome.Undecided();
            if (verdict.Outcome != AccountOutcome.Done) return Wrong();
            limits.Succeeded(counted);
            return new ChangeOutcome.Done();
        }
        finally
        {
            if (!isTried) limits.TakeBack(counted);
        }

        ChangeOutcome.Refused Wrong() => new(401, "password-wrong", texts.PasswordWrongTitle, texts.PasswordWrong, Field.CurrentPassword);
    }
}
