// Statistics counts what happened, by day: the example of a consumer that came later than everything it counts. README.md says how it is made.
using Signup.EventLog;
using Signup.Hosting;
using Signup.Statistics;

const string queue = "statistics";
var builder = SignupEndpoint.Create(queue, args, concurrency: 5);
builder.Services.AddSingleton(new Subscription(queue, EventTypes.All.Select(t => t.Message)));
builder.Services.AddProjection<DailyStatistics>("daily-statistics");
var app = builder.Build();
app.UseHeadRouting();
app.MapHealth();
app.MapGet("/days", DailyStatistics.ReadAsync).RequireApiKey("Query:ApiKey");
await app.RunEndpointAsync();
