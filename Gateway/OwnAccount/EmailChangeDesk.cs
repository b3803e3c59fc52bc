using Microsoft.Extensions.Options;
using Signup.Gateway.Accounts;
using Signup.Gateway.Pages;
using Signup.Gateway.Passwords;
using Signup.Gateway.SigningIn;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting;
using Signup.Hosting.Http;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;

namespace Signup.Gateway.OwnAccount;

/// <summary>Takes a wish for another address to the command side, and what the link comes to that is sent there.</summary>
public sealed class EmailChangeDesk(PasswordCheck passwords, ClientLimit limit, AccountCommands commands, TakenAddresses taken, IOptions<EmailChangeSettings> settings)
{
    /// <summary>Counts with sign-ups: as those it says of any address whether it is taken, and has a mail sent there.</summary>
    /// <exception cref="HashingBusyException"/>
    /// <exception cref="HttpRequestException">Accounts cannot be asked.</exception>
    /// <exception cref="BrokerUnavailableException"/>
    public async Task<ChangeOutcome> AskAsync(HttpContext http, SignedIn signedIn, Fields fields)
    {
        var (texts, account, password) = (Client.Texts(http.Request), signedIn.Account, "");
        FieldError?[] errors = [fields.Check(Field.Email, SignUpValidation.CheckEmail), fields.Check(Field.Password, typed => SignUpValidation.ReadPassword(typed, out password))];
        if (errors.Any(e => e is not null)) return new ChangeOutcome.Invalid([.. errors.OfType<FieldError>()]);
        var email = fields[Field.Email]!.Trim();
        if (email == account.Email) return new ChangeOutcome.Refused(400, "same-email", texts.ValidationTitle, texts.SameEmail, Field.Email);
        if (account.Status != AccountView.Active) return new ChangeOutcome.Refused(409, "not-active", texts.NotActiveTitle, texts.NotActive);
        if (limit.Refuse(http.Connection.RemoteIpAddress) is { } wait)
            return new ChangeOutcome.Refused(429, "too-many-tries", texts.TooManyTitle, texts.TooManySignIns(Problems.Seconds(wait)), RetryAfter: wait);

        return await passwords.TryAsync(http, account, password, Field.Password, async verified =>
        {
            var (verdict, _) = await commands.ProposeAsync(now => new RequestEmailChange(account.Id, verified, email, SignedTokens.End(now, settings.Value.Lifetime), now, taken.AreHidden), http.RequestAborted);
            return verdict is { Outcome: VerdictOutcome.Refused } ? null : ChangeOutcome.Of(verdict, texts, outcome => outcome switch
            {
                VerdictOutcome.NotUnique => new ChangeOutcome.Refused(409, "email-taken", texts.TakenTitle, texts.OtherEmailTaken, Field.Email),
                VerdictOutcome.TooMany => new ChangeOutcome.Refused(429, "too-many-mails", texts.TooManyTitle, texts.TooManyEmailChanges),
                VerdictOutcome.Invalid => new ChangeOutcome.Refused(400, "refused", texts.BadRequestTitle, texts.Refused),
                _ => null,
            });
        });
    }

    /// <param name="request">See <see cref="ConfirmEmailChange"/>.</param>
    /// <exception cref="BrokerUnavailableException"/>
    public async Task<ChangeOutcome> ConfirmAsync(HttpContext http, Guid accountId, int request)
    {
        var texts = Client.Texts(http.Request);
        var (verdict, _) = await commands.ProposeAsync(now => new ConfirmEmailChange(accountId, request, now), http.RequestAborted);
        return ChangeOutcome.Of(verdict, texts, outcome => outcome switch
        {
            VerdictOutcome.NotUnique => new ChangeOutcome.Refused(409, "email-taken", texts.TakenTitle, texts.EmailTakenMeanwhile),
            VerdictOutcome.Invalid => new ChangeOutcome.BadLink("token-outdated", texts.LinkOutdatedTitle, texts.EmailLinkOutdated, NextStep.Account),
            _ => null,
        });
    }
}
