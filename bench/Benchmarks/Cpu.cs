using System.Globalization;

namespace Signup.Bench;

/// <summary>CPU time that processes have used, from Linux's /proc.</summary>
public static class Cpu
{
    /// <summary>USER_HZ: the unit of times in /proc, the same on all architectures that .NET runs on.</summary>
    private const double TicksPerSecond = 100;

    private sealed record Process(int Parent, long Ticks);

    /// <summary>
    /// Seconds of CPU, user and kernel, that each process and all its descendants have used since they were started. With each process counts what
    /// its children had used when they ended (proc(5): cutime, cstime), so a server's sessions count whether they live or not.
    /// </summary>
    /// <param name="roots">Process ids by name.</param>
    /// <exception cref="InvalidOperationException">One of them is not there.</exception>
    public static Dictionary<string, double> SecondsOf(IReadOnlyDictionary<string, int> roots)
    {
        var processes = Read();
        var children = processes.ToLookup(p => p.Value.Parent, p => p.Key);
        return roots.ToDictionary(r => r.Key, r => processes.ContainsKey(r.Value)
            ? Sum(r.Value) / TicksPerSecond
            : throw new InvalidOperationException($"{r.Key}, process {r.Value}, has ended."));

        long Sum(int id) => processes[id].Ticks + children[id].Sum(Sum);
    }

    private static Dictionary<int, Process> Read()
    {
        var processes = new Dictionary<int, Process>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id)) continue;
            try
            {
                // The name, in parentheses, may hold anything; behind it come state, parent, …
                var stat = File.ReadAllText($"{folder}/stat");
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                processes[id] = new Process(Number(fields[1]), Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]));
            }
            catch (IOException)
            {
                // It ended just now; its parent has its time.
            }
        }
        return processes;

        static int Number(string text) => (int)long.Parse(text, CultureInfo.InvariantCulture);
    }
}
