// Accounts decides what happens to an account. It owns no data: it decides on what the log says.
using Signup.Hosting;

var builder = SignupEndpoint.Create(Topology.Accounts, args, concurrency: 128);
builder.Services.AddLogWriter();
var app = builder.Build();
app.MapHealth();
await app.RunEndpointAsync();
