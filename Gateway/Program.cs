// The gateway is what the public sees: pages and a JSON API. It checks what comes in, asks the command side, and answers honestly.
// It owns nothing durable.
using Signup.Gateway;
using Signup.Gateway.Accounts;
using Signup.Gateway.Activation;
using Signup.Gateway.Api;
using Signup.Gateway.Inbox;
using Signup.Gateway.MailEvents;
using Signup.Gateway.OwnAccount;
using Signup.Gateway.SigningIn;
using Signup.Gateway.SigningUp;
using Signup.Hosting;
using Signup.Hosting.Commands;
using Signup.Hosting.Operations;

if (await EndpointCommands.TryRunAsync(args, "The gateway is what the public sees: pages and a JSON API.") is { } exitCode) return exitCode;

var builder = SignupEndpoint.CreateHost("gateway", args);
builder.AddGateway();
var app = builder.Build();
app.UseGateway();
app.MapHealth();
app.MapSigningUp();
app.MapAccounts();
app.MapSigningIn();
app.MapSigningOut();
app.MapOwnAccount();
app.MapUsername();
app.MapEmailChange();
app.MapPassword();
app.MapPasswordReset();
app.MapDeleteAccount();
app.MapExport();
app.MapCorrections();
app.MapActivation();
app.MapMailEvents();
app.MapInbox();
app.MapApiDocument();
await app.RunAsync();
return 0;
