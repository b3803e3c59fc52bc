// Mail sees every account from sign-up to activation: it sends the activation mail, reminds, and asks for the account's expiry in the end.
// Start reading at ActivationPolicy.cs. What it has sent is in the log; what is to be done is in its own table.
using Signup.Hosting;
using Signup.Hosting.Commands;
using Signup.Hosting.Handling;
using Signup.Hosting.Operations;
using Signup.Hosting.RabbitMq;
using Signup.Mail;
using Signup.Messages.Mail;

if (await EndpointCommands.TryRunAsync(args, "Mail sends each account its activation mail, reminds, and lets what nobody activates expire.") is { } exitCode) return exitCode;

var handlers = new Handlers()
    .On<ResendActivationMail>(async (command, services, _) => await ResendActivationMailHandler.Handle(command, services.GetRequiredService<Activations>(), services.GetRequiredService<ActivationPolicy>()));
var builder = SignupEndpoint.Create(Topology.Mail, args, handlers, concurrency: 256, SignupEndpoint.RowByRow);
builder.Services.AddMail(builder.Configuration);
var app = builder.Build();
app.MapHealth();
await app.RunAsync();
return 0;
