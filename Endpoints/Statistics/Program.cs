// Statistics counts what happened, by day: the example of a consumer that came later than everything it counts. docs/new-consumer.md says how it is made.
using Signup.Hosting;
using Signup.Messages.Transport;
using Signup.Statistics;

const string queue = "statistics";
var builder = SignupEndpoint.Create(queue, args, concurrency: 5);
builder.Services.AddSingleton(new Subscription(queue, [typeof(LogExtended)]));
builder.Services.AddProjection<DailyStatistics>("daily-statistics");
var app = builder.Build();
app.MapHealth();
app.MapGet("/days", DailyStatistics.ReadAsync).RequireApiKey("Query:ApiKey");
await app.RunEndpointAsync();
