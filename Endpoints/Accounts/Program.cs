// Accounts decides what happens to an account. It owns no data: it decides on what the log says.
using Signup.Accounts;
using Signup.Accounts.Operations;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting;
using Signup.Hosting.Calls;
using Signup.Hosting.Commands;
using Signup.Hosting.Following;
using Signup.Hosting.Handling;
using Signup.Hosting.Operations;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using Signup.Messages.Mail;
using Signup.Messages.Operations;
using Signup.Messages.Uniqueness;

if (await EndpointCommands.TryRunAsync(args, "Accounts decides what happens to an account.") is { } exitCode) return exitCode;

var handlers = new Handlers()
    .On<SignUp>(async (command, services, cancellation) =>
        await SignUpAttemptHandler.LoadAsync(command, services.GetRequiredService<HolderClient>, services.GetRequiredService<LogReader>(), cancellation) is { } owner
            ? SignUpAttemptHandler.Handle(command, owner)
            : SignUpHandler.Handle(command))
    .On<ActivateAccount, Account>(ActivateAccountHandler.LoadAsync, (command, account) => ActivateAccountHandler.Handle(command, account))
    .On<CorrectEmail, Account>(CorrectEmailHandler.LoadAsync, (command, account) => CorrectEmailHandler.Handle(command, account))
    .On<RequestEmailChange, Account>(RequestEmailChangeHandler.LoadAsync, (command, account) => RequestEmailChangeHandler.Handle(command, account))
    .On<ConfirmEmailChange, Account>(ConfirmEmailChangeHandler.LoadAsync, (command, account) => ConfirmEmailChangeHandler.Handle(command, account))
    .On<ChangeUsername, Account>(ChangeUsernameHandler.LoadAsync, (command, account) => ChangeUsernameHandler.Handle(command, account))
    .On<ChangePassword, Account>(ChangePasswordHandler.LoadAsync, (command, account) => ChangePasswordHandler.Handle(command, account))
    .On<RequestPasswordReset, Account>(RequestPasswordResetHandler.LoadAsync, RequestPasswordResetHandler.Handle)
    .On<ResetPassword, Account>(ResetPasswordHandler.LoadAsync, (command, account) => ResetPasswordHandler.Handle(command, account))
    .On<DeleteAccount, Account>(DeleteAccountHandler.LoadAsync, (command, account) => DeleteAccountHandler.Handle(command, account))
    .On<ExpireAccount, Account>(ExpireAccountHandler.LoadAsync, ExpireAccountHandler.Handle)
    .On<RehashPassword, Account>(RehashPasswordHandler.LoadAsync, RehashPasswordHandler.Handle)
    .On<SignInToApplication, Account>(SignInToApplicationHandler.LoadAsync, (command, account) => SignInToApplicationHandler.Handle(command, account))
    .On<SignOut, Account>(SignOutHandler.LoadAsync, (command, account) => SignOutHandler.Handle(command, account))
    .On<SignOutEverywhere, Account>(SignOutEverywhereHandler.LoadAsync, (command, account) => SignOutEverywhereHandler.Handle(command, account))
    .On<RecordMailEvent, MailHistory>(RecordMailEventHandler.LoadAsync, RecordMailEventHandler.Handle)
    .On<RecordMessageAct, MessageHistory>(RecordMessageActHandler.LoadAsync, RecordMessageActHandler.Handle);

var builder = SignupEndpoint.Create(Topology.Accounts, args, handlers, concurrency: 128);
builder.Services.AddLogWriter();
// Nobody's sign-ups: one that is proposed, and one that is refused.
builder.Services.AddUniquenessClient(builder.Configuration, () => SignUpHandler.Handle(SignUpOf(Guid.NewGuid())).Item1!);
builder.Services.AddInternalClient<HolderClient>(builder.Configuration, "Uniqueness", HolderClient.Timeout);
builder.Services.AddRehearsal<Verdict>(SignUpOf(Guid.Empty));
var app = builder.Build();
app.MapHealth();
app.MapSignInDoor();
await app.RunAsync();
return 0;

static SignUp SignUpOf(Guid nobody) => new(nobody, "rehearsal", $"{nobody}@rehearsal.invalid", "$", "en", default, Once: false);
