using System.Globalization;
using Signup.EventLog.Accounts;
using Signup.Gateway.Accounts;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;

namespace Signup.Gateway.Pages;

internal sealed class EnglishTexts : Texts
{
    private static readonly CultureInfo Culture = CultureInfo.GetCultureInfo("en-GB");

    public override string Language => "en";
    public override string Moment(DateTimeOffset at) => at.UtcDateTime.ToString("d MMMM yyyy, HH:mm 'UTC'", Culture);

    public override string Brand => "Signup";
    public override string SkipToContent => "Skip to content";
    public override string Footer => "We use your address for your account, and for nothing else.";
    public override string ErrorPrefix => "Error: ";

    public override string SignUpTitle => "Create your account";
    public override string SignUpLead => "It takes a minute. All three fields are needed.";
    public override string StepsTitle => "How it works";
    public override string Step1 => "Fill in the form";
    public override string Step1Text => "A name, an e-mail address, a password.";
    public override string Step2 => "Open our mail";
    public override string Step2Text => "We send a link to your address, usually within seconds.";
    public override string Step3 => "Press the button";
    public override string Step3Text => "The link opens a page with one button. That is all.";
    public override string Username => "User name";
    public override string UsernameHint => "What we call you. It need not be unique.";
    public override string Email => "E-mail address";
    public override string EmailHint => "We send the activation link there.";
    public override string Password => "Password";
    public override string PasswordHint => "At least 8 characters. A few words work well.";
    public override string ShowPassword => "Show";
    public override string HidePassword => "Hide";
    public override string SignUpButton => "Create account";
    public override string Sending => "One moment…";
    public override string Problems(int count) => count == 1 ? "Please correct one thing" : $"Please correct {count} things";

    protected override string Of(string field, Fault fault) => (field, fault) switch
    {
        (Field.Username, SigningUp.Fault.Blank) => "Enter a user name.",
        (Field.Email, SigningUp.Fault.Blank) => "Enter your e-mail address.",
        (Field.CurrentPassword, SigningUp.Fault.Blank) => "Enter your present password.",
        (_, SigningUp.Fault.Blank) => "Enter a password.",
        (Field.Username, SigningUp.Fault.TooLong) => $"Enter a user name of at most {Limits.Username} characters.",
        (_, SigningUp.Fault.TooLong) => $"Enter an e-mail address of at most {Limits.Email} characters.",
        (Field.Username, SigningUp.Fault.ControlCharacter) => "Enter a user name on one line, without control characters.",
        (_, SigningUp.Fault.Invisible) => "Enter a user name without invisible characters at its beginning and end.",
        (Field.Email, SigningUp.Fault.ControlCharacter) => "Enter an e-mail address on one line, without control characters.",
        (_, SigningUp.Fault.ControlCharacter) => "Enter a password on one line, without control characters.",
        (_, SigningUp.Fault.NotAnAddress) => "Enter an e-mail address such as name@example.com.",
        (_, SigningUp.Fault.PasswordTooShort) => $"Enter a password of at least {Passwords.Password.MinLength} characters.",
        (_, SigningUp.Fault.PasswordTooLong) => $"Enter a password of at most {Passwords.Password.MaxLength} characters.",
        (_, SigningUp.Fault.PasswordIsOwn) => "Your name and your address are the first that attackers try. Choose another password.",
        (_, SigningUp.Fault.PasswordTooCommon) => "This password is among the first that attackers try. Choose another one.",
        _ => $"Send {field} once, as a text.",
    };

    public override string EmailTaken => "There is an account with this e-mail address already. If it is yours, sign in, or look for our mail in your inbox; else use another address.";
    public override string OtherTaken(string what) => $"Someone has this {what} already. Choose another one.";
    public override string FormTooOld => "We could not verify that this form came from us. Please allow cookies for this page, enter your password again and send the form once more.";
    public override string FormUsed => "This form was sent before, with other details, and an account was created then. To create another one, enter a password and send it once more.";
    public override string Refused => "We could not accept these details. Please check them and send the form once more.";
    public override string TooManySignUps(long seconds) => $"Too many sign-ups came from your network. Please try again in {Seconds(seconds)}.";
    public override string Unavailable => "We cannot take sign-ups at this moment. Nothing was kept; please try again in a few seconds.";
    public override string Busy(long seconds) => $"More people are signing up at this moment than we can take. Nothing was kept; please try again in {Seconds(seconds)}.";

    public override string DecidingTitle => "Your sign-up is being processed";
    public override string Deciding => "It takes a little longer than usual. This page refreshes by itself.";
    public override string DecidingLong => "It takes much longer than usual. You need not wait here: once your account is there, our mail comes to your address. If none has come in an hour, please sign up again. Nobody gets two accounts by that.";
    public override string RefusedTitle(string reason) => reason == "email-taken" ? "There was an account already" : "This sign-up was not accepted";
    public override string RefusedLate(string reason) => reason switch
    {
        "email-taken" => "Someone signed up with this e-mail address before, so no account was created now. Use another address, or look for our mail in your inbox.",
        AccountView.KeyReused => "This form was sent before, with other details, and an account was created then. To create another one, please fill in the form once more.",
        AccountView.Invalid => Refused,
        _ => OtherTaken(reason[..^"-taken".Length]),
    };
    public override string ByMail => "A mail to the address that you gave says how to go on. We tell nobody else, and not here, whether there is an account with it already. If no mail comes within a few minutes, look into your spam folder, and sign up again with the right address.";
    public override string PendingTitle => "Check your mail";
    public override string Pending => "Open the link in our mail and press the button there. Then your account is active.";
    public override string ActiveTitle => "Your account is active";
    public override string Active => "Thank you, your address is confirmed. You can sign in now.";
    public override string ExpiredTitle => "This sign-up has expired";
    public override string Expired => "Nobody confirmed the address in time, so it is free again. You are welcome to sign up once more.";
    public override string DeletedTitle => "This account was deleted";
    public override string Deleted => "Its address is free again.";
    public override string Status => "Status";
    public override string StatusOf(string status) => status switch
    {
        "deciding" => "Being processed",
        "pending" => "Waiting for confirmation",
        "active" => "Active",
        "expired" => "Expired",
        "deleted" => "Deleted",
        _ => status,
    };
    public override string Mail => "Activation mail";
    public override string MailQueued => "On its way";
    public override string MailSent(string moment) => $"Sent on {moment}";
    public override string MailDelivered(string moment) => $"Arrived on {moment}";
    public override string MailFailedTitle(MailView mail) => mail switch
    {
        { State: MailView.Complained } => "Our mail was not wanted",
        { State: MailView.Bounced } => "Our mail came back",
        { Reason: "unconfirmed" } => "Our mail may not have reached you",
        _ => "Our mail could not be delivered",
    };
    public override string MailFailedText(MailView mail) => mail switch
    {
        { State: MailView.Complained } => "Whoever reads mail at this address has reported ours as unwanted, so we send nothing more there. If the address is wrong, correct it below. If it is yours, the link in the mail is still valid.",
        { Reason: "unconfirmed" } => "The connection broke off whenever we sent it, so we cannot tell whether it arrived. Please look into your inbox and your spam folder; the link in it is valid.",
        { Reason: "provider-refused" } => "This is not your mistake: it was our mail that was not accepted. Please ask for it again below, or use another address.",
        { Reason: "blocked" } => "The mail server of this address did not want it. This need not be your mistake: ask for it again below, or use another address.",
        { Reason: "unreachable" } => "The mail server of this address did not take it. If the address is right, ask for the mail again below; if not, correct it there.",
        { Reason: "mailbox-full" } => "The mailbox is full. Once there is room, ask for the mail again below.",
        { Reason: "international-address-unsupported" } => "Our mail system cannot write to an address of this kind yet. Please use another one.",
        _ => "Please check the address. If it is wrong, correct it below.",
    };
    public override string ResendTitle => "No mail?";
    public override string ResendText => "Look into your spam folder first. We can also send it again, with the same link.";
    public override string ResendFailedTitle => "Once more";
    public override string ResendFailedText => "We can send the mail again, with the same link.";
    public override string ResendButton => "Send the mail again";
    public override string MailComing => "We are sending the mail again.";
    public override string MailComingIfAny => "If an account with this address waits to be activated, its mail comes once more, unless that was asked for too often.";
    public override string MailStillComing => "Our mail is on its way already.";
    public override string CorrectTitle => "Correct the address";
    public override string CorrectText => "Everything else stays as you typed it, and the mail goes to the new address. Links that we sent before stop working.";
    public override string CorrectButton => "Change the address";
    public override string Correcting => "Your address is being changed. It takes a little longer than usual. This page refreshes by itself.";
    public override string CorrectionTaken => "There is an account already with the address that you asked for, so the address was not changed. Please choose another one.";
    public override string CorrectionUnavailable => "The address could not be changed at this moment. Please try again in a few seconds.";
    public override string NotCorrectableTitle => "The address stays";
    public override string NotCorrectable => "The address can be changed here only where our mail could not be delivered to it. If it is wrong, please sign up with the right one.";
    public override string TooManyMails(long seconds) => $"We have sent the mail already. You can ask for it again in {Seconds(seconds)}.";
    public override string ResendUnavailable => "We cannot send the mail again at this moment. Please try again in a few seconds.";
    public override string SignUpAgain => "Sign up again";
    public override string RefreshButton => "Refresh";
    public override string StatusUnavailableTitle => "We cannot show your account now";
    public override string StatusUnavailable => "Your account is safe. Only this page cannot be shown at the moment; please try again in a few seconds.";
    public override string AccountNotFound => "There is nothing to see here. An account is only shown to the browser that signed up, or to whoever sends its status token.";

    public override string SignInTitle => "Sign in";
    public override string SignInButton => "Sign in";
    public override string SignInWrongTitle => "Not signed in";
    public override string SignInWrong => "No account has this e-mail address together with this password. Please check both; capitals count in the password.";
    public override string ActivateFirst => "If you have only just signed up, first open the link in our mail.";
    public override string SignInUnavailable => "We cannot sign you in at this moment. Please try again in a few seconds.";
    public override string NoAccountYet => "No account yet?";
    public override string AccountAlready => "Have an account already?";
    public override string OwnAccountTitle => "Your account";
    public override string SignOutButton => "Sign out";
    public override string SignOutEverywhereTitle => "Signed in elsewhere, too?";
    public override string SignOutEverywhereText => "On a device that you have lost, for instance, or where you forgot to sign out. This ends all of it, here as well.";
    public override string SignOutEverywhereButton => "Sign out everywhere";
    public override string SignedOutHere => "You are signed out.";
    public override string SignedOutEverywhere => "You are signed out everywhere.";
    public override string SigningOutTitle => "You are being signed out everywhere";
    public override string SigningOut => "In this browser you are signed out. Elsewhere it takes a little longer than usual; it is safe with us, and nothing else is to do.";
    public override string SignOutUnavailable => "You are signed out in this browser. We could not end the session itself at this moment; if somebody else may have its token, sign in again and sign out everywhere.";
    public override string SignOutEverywhereUnavailable => "We cannot sign you out everywhere at this moment. Nothing was changed; please try again in a few seconds.";
    public override string NotSignedInTitle => "Not signed in";
    public override string NotSignedIn => "Sign in by POST /sessions, and send the token that it answers with as a bearer token. A session ends after a while, or when it is signed out.";
    public override string TooManySignIns(long seconds) => $"Too many tries. Please try again in {Seconds(seconds)}.";
    public override string SignInForApplication(string name) => $"To go on to {name}.";
    public override string LetInTitle(string name) => $"Go on to {name}?";
    public override string LetInLead(string name) => $"{name} would like to let you in with your account here, and is told this of it. Your password stays here.";
    public override string LetInAccount => "Account";
    public override string LetInNumber => "a number, always the same";
    public override string LetInButton => "Go on";
    public override string CancelButton => "Cancel";
    public override string SignedInAs => "You are signed in as";
    public override string AnotherAccount => "Use another account";
    public override string CannotLetInTitle => "This application cannot let you in";
    public override string CannotLetIn(string fault) => $"It has sent you here with a request that we do not take. Its makers can mend that; tell them this: {fault}";

    public override string ChangeEmailTitle => "Change the address";
    public override string ChangeEmailLead(long seconds) => $"We send a link to the new address. As soon as it is opened there, and its button pressed, the address is yours; the link is valid for {Seconds(seconds)}. Until then all stays as it is.";
    public override string ChangeEmailButton => "Send the link";
    public override string PresentEmail => "Present e-mail address";
    public override string NewEmail => "New e-mail address";
    public override string EmailChangeAsked => "A link is on its way to the new address. Open it there to make the change. If none comes, look into your spam folder, and check the address. Until then all stays as it is.";
    public override string SameEmail => "This is the address that your account has.";
    public override string OtherEmailTaken => "There is an account with this e-mail address already, or somebody is about to have it. Please use another one.";
    public override string NotActiveTitle => "Your account is not active yet";
    public override string NotActive => "Please open the link in our mail to its address first. If that address is wrong, sign up with the right one.";
    public override string TooManyEmailChanges => "So many links were sent for this account that no other one is sent now. Please use the last one, or try again later.";
    public override string ConfirmEmailTitle => "Confirm your new e-mail address";
    public override string ConfirmEmail => "One click, and your account has the address that this link was sent to.";
    public override string ConfirmEmailButton => "Use this address";
    public override string EmailChangedTitle => "Your e-mail address is changed";
    public override string EmailChanged => "From now on you sign in with it, and mails about your account go there.";
    public override string EmailLinkExpired => "Please ask for another one in your account, whose address is as it was.";
    public override string EmailLinkOutdated => "Another address was wanted after it was sent, or the password was changed. Your account says which address it has.";
    public override string EmailTakenMeanwhile => "By now somebody else has an account with this address. Yours keeps the one that it has.";
    public override string ForgotPassword => "Forgotten your password?";
    public override string ForgotPasswordTitle => "Forgotten password";
    public override string ForgotPasswordLead => "Give the e-mail address of your account. We send a link there, to choose another password.";
    public override string ForgotPasswordButton => "Send me the link";
    public override string ResetMailComingTitle => "Look into your mail";
    public override string ResetMailComing(long seconds) => $"If there is an account with this address, a link to choose another password is on its way there. It is valid for {Seconds(seconds)}, and for one use. If none comes, look into your spam folder, and check the address.";
    public override string ChoosePasswordTitle => "Choose another password";
    public override string ChoosePasswordLead => "Whoever is signed in to your account, on any device, is signed out by it.";
    public override string ChoosePasswordButton => "Set the password";
    public override string PasswordReset => "Your password is changed. Sign in with the new one.";
    public override string ResetLinkExpired => "Please ask for another one. Your password is as it was.";
    public override string ResetLinkUsed => "It was used before, or password or address have been changed since. If that was you, sign in; if not, ask for another link.";
    public override string NewLinkButton => "Ask for another link";
    public override string ChangePasswordTitle => "Change the password";
    public override string ChangePasswordLead => "You stay signed in here. Whoever is signed in elsewhere is signed out.";
    public override string ChangePasswordButton => "Change the password";
    public override string CurrentPassword => "Present password";
    public override string NewPassword => "New password";
    public override string PasswordWrongTitle => "Wrong password";
    public override string PasswordWrong => "This is not the password of your account. Capitals count.";
    public override string PasswordChanged => "Your password is changed. Whoever was signed in elsewhere is signed out.";
    public override string ChangeUsernameTitle => "Change the user name";
    public override string ChangeUsernameButton => "Change the user name";
    public override string UsernameChanged => "Your user name is changed.";
    public override string OwnDataTitle => "Your data";
    public override string OwnDataText(bool isActive) => $"You can have all that we keep about you, but for your password, as a file. {(isActive ? "And you can leave." : "If you do not activate your account, it ends by itself, and its address is free.")}";
    public override string ExportLink => "Download your data";
    public override string DeleteAccountTitle => "Delete the account";
    public override string DeleteAccountLead => "Nobody can sign in to it any more, on any device, and links in our mails stop working. Your e-mail address is free then, for you or for others. This cannot be undone.";
    public override string DeleteAccountButton => "Delete my account";
    public override string NotActiveYet => "It ends by itself if it is not activated, and its address is free then. To delete it at once, open the link in our mail to its address first.";
    public override string AccountDeleted => "Your e-mail address is free again. If you ever want to come back, sign up with it as if for the first time.";
    public override string ForgetLabel => "Forget me, too";
    public override string ForgetHint => "What has happened so far stays on our records. With this, nobody can read any more whose it was, we included: the key to your name and your addresses is destroyed.";
    public override string AccountForgotten => "Your e-mail address is free again, and nobody can read any more whose account it was. One last mail confirms it to you.";
    public override string ForgetUnclear => "What the parameter forget says is neither true nor false.";
    public override string BackToAccount => "Back to your account";
    public override string ChangingTitle => "Your change is on its way";
    public override string Changing => "It takes a little longer than usual. You can close this page: it is safe with us, and nothing else is to do.";
    public override string ChangeUnavailable => "We cannot change this at this moment. Nothing was changed; please try again in a few seconds.";

    public override string ActivateTitle => "Activate your account";
    public override string Activate => "One step is left: press the button, and your address is confirmed.";
    public override string ActivateButton => "Activate my account";
    public override string ActivatingTitle => "Your account is being activated";
    public override string Activating => "It takes a little longer than usual. You can close this page: it is safe with us, and nothing else is to do.";
    public override string ActivationUnavailable => "We cannot activate accounts at this moment. Please press the button again in a few seconds; your link stays valid.";
    public override string LinkExpiredTitle => "This link has expired";
    public override string LinkExpired => "Links are valid for seven days. Please sign up once more: if the account was never activated, its address is free again.";
    public override string LinkInvalidTitle => "This link is not valid";
    public override string LinkInvalid => "It may have been cut off. Please copy the whole link from the mail, from its beginning to its end.";
    public override string LinkOutdatedTitle => "This link is no longer valid";
    public override string LinkOutdated => "The account's e-mail address was changed after this link was sent. If the account is not active yet, use the link in the mail to the new address.";

    public override string ValidationTitle => "Some fields are not valid";
    public override string ValidationDetail => "Correct the fields under errors and send the request again.";
    public override string TakenTitle => "Already taken";
    public override string KeyReusedTitle => "Idempotency key already used";
    public override string KeyReused => "Another sign-up was sent with this Idempotency-Key. Send the very same body to get its answer, or use a new key.";
    public override string BadIdempotencyKey => "Send one Idempotency-Key of 1 to 255 visible ASCII characters, or none.";
    public override string TooManyTitle => "Too many requests";
    public override string UnavailableTitle => "Not available right now";
    public override string Of(BodyFault fault) => fault switch
    {
        BodyFault.TooLarge => $"Send at most {Body.Limit / 1024} KiB.",
        BodyFault.WrongType => "Send JSON in UTF-8, with the header Content-Type: application/json.",
        BodyFault.Encoded => "Send the body as it is, without Content-Encoding.",
        BodyFault.NotUtf8 => "This form came in another encoding than UTF-8. Please fill it in and send it once more; a program must encode it as UTF-8.",
        BodyFault.NotAnObject => "Send a JSON object.",
        _ => "The body is not valid JSON in UTF-8. Check quotes, commas and brackets, and that no name comes twice.",
    };
    public override string NotFoundTitle => "Not found";
    public override string NotFound => "There is nothing at this address. Please check it for typing errors.";
    public override string MethodTitle => "Method not allowed";
    public override string Method => "This address does not take this kind of request.";
    public override string TooLargeTitle => "Too large";
    public override string TooLarge => "The request is larger than anything that is of use here.";
    public override string MediaTypeTitle => "Unsupported media type";
    public override string MediaType => "Send the request with another Content-Type.";
    public override string BadRequestTitle => "The request is not valid";
    public override string BadRequest => "Please check the request and send it again.";
    public override string FaultTitle => "Something went wrong";
    public override string Fault => "The fault is ours, and has been noted. Please try again in a little while.";
    public override string BackToStart => "To the sign-up form";

    public override string InboxTitle => "Development inbox";
    public override string InboxLead => "No mail provider is set up, so mails are written to files. Here they are, the latest first.";
    public override string InboxEmpty => "There are no mails yet. Sign up, then refresh this page.";
    public override string InboxBack => "All mails";
    public override string InboxLink => "Development: open the inbox";
    public override string To => "To";
    public override string Date => "Date";
    public override string Subject => "Subject";

    private static string Seconds(long seconds) => seconds switch
    {
        1 => "one second",
        < 120 => $"{seconds} seconds",
        < 7200 => $"{(seconds + 59) / 60} minutes",
        _ => $"{(seconds + 3599) / 3600} hours",
    };
}
