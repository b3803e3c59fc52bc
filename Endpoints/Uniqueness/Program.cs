// Uniqueness is the pipe in front of the log: an event that touches a unique value is in the log when the caller hears "yes".
// It knows nothing about accounts. What is unique is said in uniqueness.json.
using Signup.Hosting;
using Signup.Hosting.Commands;
using Signup.Hosting.Handling;
using Signup.Hosting.Http;
using Signup.Hosting.Operations;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Uniqueness;
using Signup.Uniqueness;
using Signup.Uniqueness.Commands;

if (await EndpointCommands.TryRunAsync(args, "Uniqueness appends events that claim a unique value, or says that it is taken.", RebuildClaims.Define(), VerifyClaims.Define(), Migrate.Define()) is { } exitCode) return exitCode;

var handlers = new Handlers()
    .On<ProposeEvent>(async (proposed, services, _) => await ProposeEventHandler.Handle(proposed, services.GetRequiredService<Proposals>(), services.GetRequiredService<Verdicts>()));
var builder = SignupEndpoint.Create(Topology.Uniqueness, args, handlers, concurrency: 256, SignupEndpoint.RowByRow);
builder.Services.AddUniqueness(builder.Configuration);
var app = builder.Build();
app.UseHeadRouting();
app.MapHealth();
app.MapEventDoor();
app.MapProposalsDoor();
app.MapHoldersDoor();
await app.RunAsync();
return 0;
