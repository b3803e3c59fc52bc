// Statistics counts what happened, by day: the example of a consumer that came later than everything it counts. CONTRIBUTING.md says how one is made.
using Signup.EventLog;
using Signup.Hosting;
using Signup.Hosting.Commands;
using Signup.Hosting.Following;
using Signup.Hosting.Handling;
using Signup.Hosting.Http;
using Signup.Hosting.Operations;
using Signup.Statistics;

if (await EndpointCommands.TryRunAsync(args, "Statistics counts what happened, by day.", Partitions.Define((database, _) => new DailyStatistics(database))) is { } exitCode) return exitCode;

var builder = SignupEndpoint.Create("statistics", args, new Handlers(), concurrency: 5);
builder.Services.AddProjection<DailyStatistics>("daily-statistics", EventTypes.All);
var app = builder.Build();
app.UseHeadRouting();
app.MapHealth();
app.MapGet("/days", DailyStatistics.ReadAsync).RequireApiKey("Query:ApiKey");
await app.RunAsync();
return 0;
