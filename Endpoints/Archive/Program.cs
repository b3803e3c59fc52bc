// Archive copies the log, range by range, to Parquet files that are never touched again. It owns those files, and no message.
using Signup.Archive;
using Signup.Archive.Commands;
using Signup.EventLog;
using Signup.Hosting;
using Signup.Hosting.Commands;
using Signup.Hosting.Handling;
using Signup.Hosting.Http;
using Signup.Hosting.Operations;

if (await EndpointCommands.TryRunAsync(args, "Archive copies the log to files.", VerifyArchive.Define(), Drop.Define(), Restore.Define()) is { } exitCode) return exitCode;

var builder = SignupEndpoint.Create("archive", args, new Handlers(), concurrency: 1);
var settings = ArchiveSettings.From(builder.Configuration);
builder.Services.AddSingleton(services => new Archiver(services.GetRequiredService<Npgsql.NpgsqlDataSource>(), services.GetRequiredService<LogReader>(), settings));
builder.Services.AddSingleton<KeepArchiving>().AddHostedService(services => services.GetRequiredService<KeepArchiving>());
builder.Services.AddHealthChecks().AddCheck<KeepArchiving>("archive");
var app = builder.Build();
app.UseHeadRouting();
app.MapHealth();
await app.RunAsync();
return 0;
