using Signup.EventLog;
using Signup.Gateway.Accounts;
using Signup.Gateway.Passwords;
using Signup.Gateway.SigningIn;
using Signup.Gateway.Web;
using Signup.Hosting.Http;

namespace Signup.Gateway.OwnAccount;

/// <summary>Has whoever is signed in show that they know the password: somebody may have found a device that is signed in. So tries are limited as sign-ins are.</summary>
public sealed class PasswordCheck(SignInClient accounts, HashingPool pool, SignInLimits limits, KnownDevices devices)
{
    /// <param name="typed">As <see cref="Password.Prepare"/> leaves it.</param>
    /// <param name="field">Where it was typed.</param>
    /// <param name="change">What is done with its hash. Null comes of it where that is not the account's.</param>
    /// <exception cref="HashingBusyException"/>
    /// <exception cref="HttpRequestException">Accounts cannot be asked.</exception>
    public async Task<ChangeOutcome> TryAsync(HttpContext http, AccountView account, string typed, string field, Func<string, Task<ChangeOutcome?>> change)
    {
        var texts = Client.Texts(http.Request);
        var device = devices.Read(http.Request) is { } known && known.AccountId == account.Id ? known.Device : null;
        if (limits.Refuse(EmailAddress.Normalize(account.Email!), device, http.Connection.RemoteIpAddress, out var counted) is { } wait)
            return new ChangeOutcome.Refused(429, "too-many-tries", texts.TooManyTitle, texts.TooManySignIns(Problems.Seconds(wait)), RetryAfter: wait);
        var isTried = false;
        try
        {
            var salt = PasswordSalt.Parse(await accounts.SaltAsync(account.Id, onlyActive: false, http.RequestAborted));
            var outcome = salt is null ? null : await change(await pool.HashAsync(typed, salt.Salt, http.RequestAborted, salt.Cost));
            isTried = salt is not null;
            if (outcome is not (null or ChangeOutcome.Undecided)) limits.Succeeded(counted);
            return outcome ?? new ChangeOutcome.Refused(401, "password-wrong", texts.PasswordWrongTitle, texts.PasswordWrong, field);
        }
        finally
        {
            if (!isTried) limits.TakeBack(counted);
        }
    }
}
