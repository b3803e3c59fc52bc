using Signup.Gateway.Accounts;
using Signup.Gateway.Passwords;
using Signup.Gateway.SigningIn;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;

namespace Signup.Gateway.OwnAccount;

/// <summary>Takes a wish for another password to the command side.</summary>
public sealed class PasswordDesk(PasswordCheck passwords, HashingPool pool, AccountCommands commands, TimeProvider time)
{
    /// <exception cref="HashingBusyException"/>
    /// <exception cref="HttpRequestException">Accounts cannot be asked.</exception>
    /// <exception cref="BrokerUnavailableException"/>
    public async Task<ChangeOutcome> ChangeAsync(HttpContext http, SignedIn signedIn, Fields fields)
    {
        var account = signedIn.Account;
        string present = "", wanted = "";
        FieldError?[] errors =
        [
            fields.Check(Field.CurrentPassword, typed => SignUpValidation.ReadPassword(typed, out present)),
            fields.Check(Field.NewPassword, typed => SignUpValidation.CheckNewPassword(typed, account.Username, account.Email, out wanted)),
        ];
        if (errors.Any(e => e is not null)) return new ChangeOutcome.Invalid([.. errors.OfType<FieldError>()]);

        return await passwords.TryAsync(http, account, present, Field.CurrentPassword, async verified =>
        {
            var anew = await pool.HashAnewAsync(wanted, http.RequestAborted);
            var verdict = await commands.AskAsync<AccountVerdict>(new ChangePassword(account.Id, signedIn.Session.Id, verified, anew, time.GetUtcNow()), http.RequestAborted);
            return verdict is null ? new ChangeOutcome.Undecided() : verdict.Outcome == AccountOutcome.Done ? new ChangeOutcome.Done() : null;
        });
    }
}
