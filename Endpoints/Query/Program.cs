// Query keeps a JSON document per account, derived from the log and always catching up with it, and answers questions about accounts.
// All it owns can be thrown away and derived again.
using Signup.Hosting;
using Signup.Hosting.Commands;
using Signup.Hosting.Following;
using Signup.Hosting.Handling;
using Signup.Hosting.Operations;
using Signup.Hosting.RabbitMq;
using Signup.Query;
using Signup.Query.Commands;
using Signup.Query.Projection;

if (await EndpointCommands.TryRunAsync(args, "Query keeps a JSON document for each account, and answers questions.", RebuildReadModel.Define(), Audit.Define(), CheckRule.Define(), Export.Define(), Import.Define(), Partitions.Define((database, log) => new ReadModel(database, log))) is { } exitCode) return exitCode;

var builder = SignupEndpoint.Create(Topology.Query, args, new Handlers(), concurrency: 20);
builder.Services.AddQuery();
var app = builder.Build();
app.MapHealth();
app.MapQuery();
await app.RunAsync();
return 0;
