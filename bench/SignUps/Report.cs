using System.Text.Json;

namespace Signup.Bench.SignUps;

/// <summary>The figures, for people and for programs.</summary>
public static class Report
{
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static object Of(IReadOnlyList<Measurement> measurements, double? argon2, Options options) => new
    {
        takenAt = DateTimeOffset.UtcNow,
        processors = Environment.ProcessorCount,
        options.Clients,
        argon2PerSecond = argon2,
        measurements,
        ratios = Ratios(measurements, argon2).ToDictionary(r => r.Name, r => r.Value),
    };

    public static void Print(IReadOnlyList<Measurement> measurements, double? argon2)
    {
        string[] groups = [.. measurements.SelectMany(m => m.CpuMs.Keys).Distinct()];
        Console.WriteLine();
        Row("", measurements, m => $"{m.System}, hashing {(m.Hashing ? "on" : "off")}");
        Row("sign-ups a second", measurements, m => $"{m.Answers.Rate:0.0}");
        Row("p50, ms", measurements, m => $"{m.Answers.P50Ms:0}");
        Row("p99, ms", measurements, m => $"{m.Answers.P99Ms:0}");
        Row("CPU per sign-up, ms", measurements, m => $"{m.TotalCpuMs:0.00}");
        foreach (var group in groups) Row($"  {group}", measurements, m => m.CpuMs.TryGetValue(group, out var ms) ? $"{ms:0.00}" : "");
        Row("drained after, s", measurements, m => $"{m.DrainSeconds:0.0}");
        Row("CPU when idle, ms/s", measurements, m => $"{m.IdleCpuMs.Values.Sum():0}");
        Row("measured sign-ups", measurements, m => $"{m.Answers.Accepted}");
        Console.WriteLine();
        foreach (var (name, value) in Ratios(measurements, argon2)) Console.WriteLine($"{name}: {value:0.00}");
    }

    private static void Row(string name, IReadOnlyList<Measurement> measurements, Func<Measurement, string> value) =>
        Console.WriteLine($"{name,-20}{string.Concat(measurements.Select(m => $"{value(m),24}"))}");

    private static IEnumerable<(string Name, double Value)> Ratios(IReadOnlyList<Measurement> measurements, double? argon2)
    {
        foreach (var pair in measurements.GroupBy(m => m.Hashing))
        {
            if (pair.FirstOrDefault(m => m.System == "Signup") is not { } ours || pair.FirstOrDefault(m => m.System == "Identity") is not { } theirs) continue;
            var with = $"hashing {(pair.Key ? "on" : "off")}";
            yield return ($"rate, Signup / Identity, {with}", ours.Answers.Rate / theirs.Answers.Rate);
            yield return ($"CPU per sign-up, Signup / Identity, {with}", ours.TotalCpuMs / theirs.TotalCpuMs);
            if (pair.Key && argon2 is { } raw) yield return ("rate, Signup / Argon2id alone", ours.Answers.Rate / raw);
        }
    }
}
