using System.Text.Json;
using Signup.EventLog;

namespace Signup.Uniqueness.Commands;

/// <summary>What a command finds wrong, told in the end.</summary>
internal sealed class Findings
{
    private readonly List<string> _found = [];

    /// <summary>What a logged event does to unique values; an event that the present rules cannot read is a problem, and does nothing.</summary>
    public IReadOnlyList<Claim> ClaimsOf(UniquenessRules rules, LoggedEvent e)
    {
        if (rules.RulesFor(e.Type).Count == 0) return [];
        try
        {
            using var data = JsonDocument.Parse(e.Data);
            return rules.ClaimsOfLogged(e.Type, data.RootElement);
        }
        catch (FormatException wrong)
        {
            Say($"position {e.Position}: {e.Type} of {e.StreamId}: {wrong.Message}");
            return [];
        }
    }

    public void Twice(string constraint, string value, Guid streamId) => Say($"{constraint} {Mask(value)} of {streamId} is held by another stream already");

    public void Say(string problem) => _found.Add(problem);

    /// <returns>The exit code.</returns>
    public int Summarize(string done)
    {
        foreach (var problem in _found) Console.WriteLine(problem);
        Console.WriteLine(_found.Count == 0 ? $"{done} No problem found." : $"{done} Problems found: {_found.Count}.");
        return _found.Count == 0 ? 0 : 1;
    }

    /// <summary>Enough to recognize a value by, for who knows it; not enough to learn it.</summary>
    public static string Mask(string value) => value.Length <= 2 ? "…" : $"{value[0]}…{value[^1]} ({value.Length} characters)";
}
