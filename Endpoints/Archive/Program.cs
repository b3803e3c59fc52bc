// Archive copies old segments of the log to Parquet files, and drops from the log's table, on command, what is safe there. It owns the files and no message.
using Signup.Archive;
using Signup.Archive.Commands;
using Signup.Hosting;

if (await CommandLine.TryRunAsync(args, Copy.Command, Verify.Command, Drop.Command) is { } exitCode) return exitCode;

const string queue = "archive";
var builder = SignupEndpoint.Create(queue, args, concurrency: 1);
builder.Services.AddSingleton(new Subscription(queue, []));
builder.Services.AddSingleton(ArchiveSettings.From(builder.Configuration));
builder.Services.AddSingleton<Archiver>().AddSingleton<KeepCopying>().AddHostedService(services => services.GetRequiredService<KeepCopying>());
builder.Services.AddHealthChecks().AddCheck<KeepCopying>("archive");
var app = builder.Build();
app.MapHealth();
await app.RunEndpointAsync();
return 0;
