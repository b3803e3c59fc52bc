// Accounts decides what happens to an account. It owns no data: it decides on what the log says.
using Signup.Accounts;
using Signup.Accounts.Operations;
using Signup.EventLog.Accounts;
using Signup.Hosting;
using Signup.Messages.Accounts;
using Signup.Messages.Mail;
using Signup.Messages.Operations;
using Signup.Messages.Uniqueness;

var handlers = new Handlers()
    .On<SignUp>(command => SignUpHandler.Handle(command))
    .On<ActivateAccount, Account>(ActivateAccountHandler.LoadAsync, (command, account) => ActivateAccountHandler.Handle(command, account))
    .On<CorrectEmail, Account>(CorrectEmailHandler.LoadAsync, (command, account) => CorrectEmailHandler.Handle(command, account))
    .On<ExpireAccount, Account>(ExpireAccountHandler.LoadAsync, ExpireAccountHandler.Handle)
    .On<RecordMailEvent, MailHistory>(RecordMailEventHandler.LoadAsync, RecordMailEventHandler.Handle)
    .On<RecordMessageAct, MessageHistory>(RecordMessageActHandler.LoadAsync, RecordMessageActHandler.Handle);

var builder = SignupEndpoint.Create(Topology.Accounts, args, handlers, concurrency: 128);
builder.Services.AddLogWriter();
builder.Services.AddUniquenessClient(builder.Configuration);
// Nobody's sign-up, which is refused.
builder.Services.AddRehearsal<Verdict>(new SignUp(Guid.Empty, "", "", "", "", default, Once: false));
var app = builder.Build();
app.MapHealth();
await app.RunAsync();
