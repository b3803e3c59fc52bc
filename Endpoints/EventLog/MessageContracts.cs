using System.Text.Json.Serialization;
using Signup.Messages.Accounts;
using Signup.Messages.Mail;
using Signup.Messages.Operations;
using Signup.Messages.Uniqueness;

namespace Signup.EventLog;

/// <summary>A proposal as one process hands it to the other in a call, many in an array.</summary>
/// <param name="Cause">The message that led to it.</param>
public sealed record CausedProposal(ProposeEvent Proposal, Cause Cause);

/// <summary>How messages are read and written, by code that is generated when this is built. (Here, since Messages references nothing and has nothing but the contract.)</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(SignUp)), JsonSerializable(typeof(CorrectEmail)), JsonSerializable(typeof(ActivateAccount)), JsonSerializable(typeof(ActivationVerdict)), JsonSerializable(typeof(ExpireAccount))]
[JsonSerializable(typeof(AccountCreated)), JsonSerializable(typeof(AccountActivated)), JsonSerializable(typeof(AccountExpired)), JsonSerializable(typeof(EmailChanged)), JsonSerializable(typeof(AccountDeleted))]
[JsonSerializable(typeof(EmailChangeRequested)), JsonSerializable(typeof(PasswordChanged)), JsonSerializable(typeof(PasswordResetRequested)), JsonSerializable(typeof(SignUpAttempted)), JsonSerializable(typeof(UsernameChanged))]
[JsonSerializable(typeof(RequestEmailChange)), JsonSerializable(typeof(ConfirmEmailChange)), JsonSerializable(typeof(ChangePassword)), JsonSerializable(typeof(RequestPasswordReset)), JsonSerializable(typeof(ResetPassword)), JsonSerializable(typeof(ChangeUsername)), JsonSerializable(typeof(DeleteAccount))]
[JsonSerializable(typeof(PasswordRehashed)), JsonSerializable(typeof(SignedInToApplication)), JsonSerializable(typeof(SignedOut)), JsonSerializable(typeof(SignedOutEverywhere))]
[JsonSerializable(typeof(RehashPassword)), JsonSerializable(typeof(SignInToApplication)), JsonSerializable(typeof(SignOut)), JsonSerializable(typeof(SignOutEverywhere)), JsonSerializable(typeof(AccountVerdict))]
[JsonSerializable(typeof(ActivationMailSent)), JsonSerializable(typeof(ActivationMailFailed)), JsonSerializable(typeof(MailSent)), JsonSerializable(typeof(MailFailed))]
[JsonSerializable(typeof(MailDelivered)), JsonSerializable(typeof(MailBounced)), JsonSerializable(typeof(MailComplained)), JsonSerializable(typeof(RecordMailEvent))]
[JsonSerializable(typeof(ResendActivationMail)), JsonSerializable(typeof(ResendVerdict)), JsonSerializable(typeof(ProposeEvent)), JsonSerializable(typeof(Verdict)), JsonSerializable(typeof(Verdict[])), JsonSerializable(typeof(CausedProposal[]))]
[JsonSerializable(typeof(RecordMessageAct)), JsonSerializable(typeof(MessageRetried)), JsonSerializable(typeof(MessageDiscarded)), JsonSerializable(typeof(EventsDropped)), JsonSerializable(typeof(EventsRestored))]
public sealed partial class MessageContracts : JsonSerializerContext;
