using Signup.Gateway.Accounts;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;

namespace Signup.Gateway.Pages;

/// <summary>Every word that the gateway says to people, in one language. A word that a language lacks does not compile.</summary>
public abstract class Texts
{
    public static readonly Texts English = new EnglishTexts(), German = new GermanTexts();

    /// <summary>BCP 47; also the language that mails are written in.</summary>
    public abstract string Language { get; }

    /// <summary>A moment, in UTC, for people.</summary>
    public abstract string Moment(DateTimeOffset at);

    // --- the frame ---
    public abstract string Brand { get; }
    public abstract string SkipToContent { get; }
    public abstract string Footer { get; }
    public abstract string ErrorPrefix { get; }

    // --- the form ---
    public abstract string SignUpTitle { get; }
    public abstract string SignUpLead { get; }
    public abstract string Step1 { get; }
    public abstract string Step1Text { get; }
    public abstract string Step2 { get; }
    public abstract string Step2Text { get; }
    public abstract string Step3 { get; }
    public abstract string Step3Text { get; }
    public abstract string StepsTitle { get; }
    public abstract string Username { get; }
    public abstract string UsernameHint { get; }
    public abstract string Email { get; }
    public abstract string EmailHint { get; }
    public abstract string Password { get; }
    public abstract string PasswordHint { get; }
    public abstract string ShowPassword { get; }
    public abstract string HidePassword { get; }
    public abstract string SignUpButton { get; }
    public abstract string Sending { get; }
    public abstract string Problems(int count);

    public string Of(FieldError error) => Of(error.Field, error.Fault);

    protected abstract string Of(string field, Fault fault);

    public abstract string EmailTaken { get; }
    public abstract string OtherTaken(string what);
    public abstract string FormTooOld { get; }
    public abstract string FormUsed { get; }
    public abstract string Refused { get; }
    public abstract string TooManySignUps(long seconds);
    public abstract string Unavailable { get; }
    public abstract string Busy(long seconds);

    // --- the account ---
    public abstract string DecidingTitle { get; }
    public abstract string Deciding { get; }
    public abstract string DecidingLong { get; }
    /// <param name="reason">As in <see cref="AccountView.Reason"/>.</param>
    public abstract string RefusedTitle(string reason);
    public abstract string RefusedLate(string reason);
    public abstract string ByMail { get; }
    public abstract string PendingTitle { get; }
    public abstract string Pending { get; }
    public abstract string ActiveTitle { get; }
    public abstract string Active { get; }
    public abstract string ExpiredTitle { get; }
    public abstract string Expired { get; }
    public abstract string DeletedTitle { get; }
    public abstract string Deleted { get; }
    public abstract string Status { get; }
    public abstract string StatusOf(string status);
    public abstract string Mail { get; }
    public abstract string MailQueued { get; }
    public abstract string MailSent(string moment);
    public abstract string MailDelivered(string moment);
    /// <param name="mail">It failed, came back, or was not wanted; the class of its reason is as in <c>ActivationMailFailed</c> and <c>MailBounced</c>.</param>
    public abstract string MailFailedTitle(MailView mail);
    public abstract string MailFailedText(MailView mail);
    public abstract string ResendTitle { get; }
    public abstract string ResendText { get; }
    public abstract string ResendFailedTitle { get; }
    public abstract string ResendFailedText { get; }
    public abstract string ResendButton { get; }
    public abstract string MailComing { get; }
    public abstract string MailStillComing { get; }
    public abstract string MailComingIfAny { get; }
    public abstract string CorrectTitle { get; }
    public abstract string CorrectText { get; }
    public abstract string CorrectButton { get; }
    public abstract string Correcting { get; }
    public abstract string CorrectionTaken { get; }
    public abstract string CorrectionUnavailable { get; }
    public abstract string NotCorrectableTitle { get; }
    public abstract string NotCorrectable { get; }
    public abstract string TooManyMails(long seconds);
    public abstract string ResendUnavailable { get; }
    public abstract string SignUpAgain { get; }
    public abstract string RefreshButton { get; }
    public abstract string StatusUnavailableTitle { get; }
    public abstract string StatusUnavailable { get; }
    public abstract string AccountNotFound { get; }

    // --- signing in and out ---
    public abstract string SignInTitle { get; }
    public abstract string SignInButton { get; }
    public abstract string SignInWrongTitle { get; }
    public abstract string SignInWrong { get; }
    public abstract string ActivateFirst { get; }
    public abstract string SignInUnavailable { get; }
    public abstract string NoAccountYet { get; }
    public abstract string AccountAlready { get; }
    public abstract string OwnAccountTitle { get; }
    public abstract string SignOutButton { get; }
    public abstract string SignOutEverywhereTitle { get; }
    public abstract string SignOutEverywhereText { get; }
    public abstract string SignOutEverywhereButton { get; }
    public abstract string SignedOutHere { get; }
    public abstract string SignedOutEverywhere { get; }
    public abstract string SigningOutTitle { get; }
    public abstract string SigningOut { get; }
    public abstract string SignOutUnavailable { get; }
    public abstract string SignOutEverywhereUnavailable { get; }
    public abstract string NotSignedInTitle { get; }
    public abstract string NotSignedIn { get; }
    public abstract string TooManySignIns(long seconds);
    public abstract string SignInForApplication(string name);
    public abstract string LetInTitle(string name);
    public abstract string LetInLead(string name);
    public abstract string LetInAccount { get; }
    public abstract string LetInNumber { get; }
    public abstract string LetInButton { get; }
    public abstract string CancelButton { get; }
    public abstract string SignedInAs { get; }
    public abstract string AnotherAccount { get; }
    public abstract string CannotLetInTitle { get; }
    public abstract string CannotLetIn(string fault);

    // --- changing the account ---
    public abstract string ChangeEmailTitle { get; }
    public abstract string ChangeEmailLead(long seconds);
    public abstract string ChangeEmailButton { get; }
    public abstract string PresentEmail { get; }
    public abstract string NewEmail { get; }
    public abstract string EmailChangeAsked { get; }
    public abstract string SameEmail { get; }
    public abstract string OtherEmailTaken { get; }
    public abstract string NotActiveTitle { get; }
    public abstract string NotActive { get; }
    public abstract string TooManyEmailChanges { get; }
    public abstract string ConfirmEmailTitle { get; }
    public abstract string ConfirmEmail { get; }
    public abstract string ConfirmEmailButton { get; }
    public abstract string EmailChangedTitle { get; }
    public abstract string EmailChanged { get; }
    public abstract string EmailLinkExpired { get; }
    public abstract string EmailLinkOutdated { get; }
    public abstract string EmailTakenMeanwhile { get; }
    public abstract string ForgotPassword { get; }
    public abstract string ForgotPasswordTitle { get; }
    public abstract string ForgotPasswordLead { get; }
    public abstract string ForgotPasswordButton { get; }
    public abstract string ResetMailComingTitle { get; }
    public abstract string ResetMailComing(long seconds);
    public abstract string ChoosePasswordTitle { get; }
    public abstract string ChoosePasswordLead { get; }
    public abstract string ChoosePasswordButton { get; }
    public abstract string PasswordReset { get; }
    public abstract string ResetLinkExpired { get; }
    public abstract string ResetLinkUsed { get; }
    public abstract string NewLinkButton { get; }
    public abstract string ChangePasswordTitle { get; }
    public abstract string ChangePasswordLead { get; }
    public abstract string ChangePasswordButton { get; }
    public abstract string CurrentPassword { get; }
    public abstract string NewPassword { get; }
    public abstract string PasswordWrongTitle { get; }
    public abstract string PasswordWrong { get; }
    public abstract string PasswordChanged { get; }
    public abstract string ChangeUsernameTitle { get; }
    public abstract string ChangeUsernameButton { get; }
    public abstract string UsernameChanged { get; }
    public abstract string OwnDataTitle { get; }
    public abstract string OwnDataText(bool isActive);
    public abstract string ExportLink { get; }
    public abstract string DeleteAccountTitle { get; }
    public abstract string DeleteAccountLead { get; }
    public abstract string DeleteAccountButton { get; }
    public abstract string NotActiveYet { get; }
    public abstract string AccountDeleted { get; }
    public abstract string ForgetLabel { get; }
    public abstract string ForgetHint { get; }
    public abstract string AccountForgotten { get; }
    public abstract string ForgetUnclear { get; }
    public abstract string BackToAccount { get; }
    public abstract string ChangingTitle { get; }
    public abstract string Changing { get; }
    public abstract string ChangeUnavailable { get; }

    // --- the link ---
    public abstract string ActivateTitle { get; }
    public abstract string Activate { get; }
    public abstract string ActivateButton { get; }
    public abstract string ActivatingTitle { get; }
    public abstract string Activating { get; }
    public abstract string ActivationUnavailable { get; }
    public abstract string LinkExpiredTitle { get; }
    public abstract string LinkExpired { get; }
    public abstract string LinkInvalidTitle { get; }
    public abstract string LinkInvalid { get; }
    public abstract string LinkOutdatedTitle { get; }
    public abstract string LinkOutdated { get; }

    // --- errors ---
    public abstract string ValidationTitle { get; }
    public abstract string ValidationDetail { get; }
    public abstract string TakenTitle { get; }
    public abstract string KeyReusedTitle { get; }
    public abstract string KeyReused { get; }
    public abstract string BadIdempotencyKey { get; }
    public abstract string TooManyTitle { get; }
    public abstract string UnavailableTitle { get; }
    public abstract string Of(BodyFault fault);
    public abstract string NotFoundTitle { get; }
    public abstract string NotFound { get; }
    public abstract string MethodTitle { get; }
    public abstract string Method { get; }
    public abstract string TooLargeTitle { get; }
    public abstract string TooLarge { get; }
    public abstract string MediaTypeTitle { get; }
    public abstract string MediaType { get; }
    public abstract string BadRequestTitle { get; }
    public abstract string BadRequest { get; }
    public abstract string FaultTitle { get; }
    public abstract string Fault { get; }
    public abstract string BackToStart { get; }

    // --- the inbox of a development machine ---
    public abstract string InboxTitle { get; }
    public abstract string InboxLead { get; }
    public abstract string InboxEmpty { get; }
    public abstract string InboxBack { get; }
    public abstract string InboxLink { get; }
    public abstract string To { get; }
    public abstract string Date { get; }
    public abstract string Subject { get; }
}
