// All measurements, in one run. See bench/README.md.
using System.Globalization;
using Signup.Bench;
using Signup.Bench.Alone;
using Signup.Bench.Archive;
using Signup.Bench.Log;
using Signup.Bench.Mail;
using Signup.Bench.Partitions;
using Signup.Bench.Rebuild;
using Signup.Bench.SignUps;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
// Parts of a measurement that are processes of their own, so that their CPU time and memory are their own.
if (args is ["--bare", ..]) return await Bare.SendAsync(args[1..]);
if (args is ["--rebuild", ..]) return await RebuildPart.RunOneAsync(args[1..]);
if (args is ["--archive", ..]) return await ArchivePart.RunOneAsync(args[1..]);

var options = Options.Parse(args);
var figures = new Figures();
foreach (var part in options.Parts)
{
    Console.WriteLine($"{Environment.NewLine}{part}");
    await (part switch
    {
        "alone" => AlonePart.RunAsync(figures, options),
        "sign-ups" => SignUpsPart.RunAsync(figures, options),
        "mail" => MailPart.RunAsync(figures, options),
        "rebuild" => RebuildPart.RunAsync(figures, options),
        "archive" => ArchivePart.RunAsync(figures, options),
        "partitions" => PartitionsPart.RunAsync(figures, options),
        _ => LogPart.RunAsync(figures, options),
    });
}
figures.Print();
await figures.WriteAsync(options.Output);
return figures.Failed;
