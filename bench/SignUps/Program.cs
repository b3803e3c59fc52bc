// Measures sign-ups side by side: this system, and ASP.NET Core Identity. See bench/README.md.
using System.Globalization;
using System.Text.Json;
using Signup.Bench.SignUps;

var options = Options.Parse(args);
var measurements = new List<Measurement>();
double? argon2 = null;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;

foreach (var hashing in options.Hashing)
{
    if (hashing)
    {
        argon2 = Machine.Argon2Rate(TimeSpan.FromSeconds(10 * Math.Min(1, options.Scale)));
        Console.WriteLine($"Argon2id alone, all {Environment.ProcessorCount} processors: {argon2:0.0} hashes/s");
    }
    // Never both at once, not even idle.
    await using (var signup = await Signup.Bench.SignUps.Signup.StartAsync(hashing))
        Add(await Measurement.TakeAsync(signup, hashing, options));
    await using (var identity = await Identity.StartAsync(hashing))
        Add(await Measurement.TakeAsync(identity, hashing, options));
}
Report.Print(measurements, argon2);
if (options.Output is not null)
{
    await File.WriteAllTextAsync(options.Output, JsonSerializer.Serialize(Report.Of(measurements, argon2, options), Report.Json));
    Console.WriteLine($"{Environment.NewLine}{options.Output}");
}
return measurements.Exists(m => m.Answers.Other.Count > 0) ? 1 : 0;

void Add(Measurement measurement)
{
    measurements.Add(measurement);
    Console.WriteLine(measurement.Line);
}
