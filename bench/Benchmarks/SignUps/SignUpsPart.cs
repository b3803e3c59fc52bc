namespace Signup.Bench.SignUps;

/// <summary>Sign-ups side by side: this system, and ASP.NET Core Identity. Never both at once, not even idle.</summary>
internal static class SignUpsPart
{
    public static async Task RunAsync(Figures figures, Options options)
    {
        foreach (var hashing in options.Hashing)
        {
            var argon2 = hashing ? Machine.Argon2Rate(TimeSpan.FromSeconds(10 * Math.Min(1, options.Scale))) : double.NaN;
            Measurement ours, theirs;
            await using (var signup = await Signup.StartAsync(hashing)) ours = await TakeAsync(signup);
            await using (var identity = await Identity.StartAsync(hashing)) theirs = await TakeAsync(identity);

            var part = $"hashing {(hashing ? "on" : "off")}";
            foreach (var m in new[] { ours, theirs })
            {
                figures.Add(part, $"{m.System}, sign-ups a second", m.Answers.Rate);
                figures.Add(part, $"{m.System}, p50", m.Answers.P50Ms, "ms");
                figures.Add(part, $"{m.System}, p99", m.Answers.P99Ms, "ms");
                figures.Add(part, $"{m.System}, CPU a sign-up", m.TotalCpuMs, "ms");
            }
            foreach (var (process, ms) in ours.CpuMs) figures.Add(part, $"of which {process}", ms, "ms");
            if (hashing)
            {
                figures.Add(part, "Argon2id alone, hashes a second", argon2);
                figures.AtLeast(part, "sign-ups a second ÷ Argon2id alone", ours.Answers.Rate / argon2, 0.7);
                figures.Add(part, "sign-ups a second ÷ Identity's", ours.Answers.Rate / theirs.Answers.Rate);
            }
            else
            {
                figures.AtMost(part, "CPU a sign-up ÷ Identity's", ours.TotalCpuMs / theirs.TotalCpuMs, 1);
                figures.AtLeast(part, "sign-ups a second ÷ Identity's", ours.Answers.Rate / theirs.Answers.Rate, 1);
            }

            async Task<Measurement> TakeAsync(IContestant system)
            {
                var measurement = await Measurement.TakeAsync(system, hashing, options);
                Console.WriteLine(measurement.Line);
                return measurement.Answers.Other.Count == 0 ? measurement : throw new InvalidOperationException("Some were not accepted: this measures something else.");
            }
        }
    }
}
