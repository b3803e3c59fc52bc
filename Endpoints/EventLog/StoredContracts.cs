using System.Text.Json.Serialization;
using Signup.EventLog.Accounts;
using Signup.EventLog.Operations;

namespace Signup.EventLog;

/// <summary>How stored events are read and written, by code that is generated when this is built rather than when a process starts.</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(AccountCreated)), JsonSerializable(typeof(AccountActivated)), JsonSerializable(typeof(AccountExpired)), JsonSerializable(typeof(EmailChanged)), JsonSerializable(typeof(AccountDeleted))]
[JsonSerializable(typeof(EmailChangeRequested)), JsonSerializable(typeof(PasswordChanged)), JsonSerializable(typeof(PasswordResetRequested)), JsonSerializable(typeof(SignUpAttempted)), JsonSerializable(typeof(UsernameChanged))]
[JsonSerializable(typeof(PasswordRehashed)), JsonSerializable(typeof(SignedInToApplication)), JsonSerializable(typeof(SignedOut)), JsonSerializable(typeof(SignedOutEverywhere))]
[JsonSerializable(typeof(ActivationMailSent)), JsonSerializable(typeof(ActivationMailFailed)), JsonSerializable(typeof(MailSent)), JsonSerializable(typeof(MailFailed))]
[JsonSerializable(typeof(MailDelivered)), JsonSerializable(typeof(MailBounced)), JsonSerializable(typeof(MailComplained)), JsonSerializable(typeof(MessageRetried)), JsonSerializable(typeof(MessageDiscarded)), JsonSerializable(typeof(EventsDropped)), JsonSerializable(typeof(EventsRestored))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class StoredContracts : JsonSerializerContext;
