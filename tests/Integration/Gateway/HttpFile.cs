using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Signup.Tests.Integration.Gateway;

/// <summary>A file of requests, as Visual Studio, Rider and "REST Client" read it: variables, requests with a name, and what a named one was answered.</summary>
public sealed partial class HttpFile
{
    /// <param name="Expected">The status that the title ends with.</param>
    public sealed record Request(string Title, int Expected, string? Name, string Method, string Url, IReadOnlyList<(string Name, string Value)> Headers, string? Body);

    public IReadOnlyDictionary<string, string> Variables { get; }

    public IReadOnlyList<Request> Requests { get; }

    public HttpFile(string text)
    {
        var parts = Beginning().Split(text);
        Variables = Variable().Matches(parts[0]).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value.Trim());
        Requests = [.. parts.Skip(1).Select(Read)];
    }

    /// <summary>As it is sent.</summary>
    /// <param name="values">Of variables; null: the file's own.</param>
    /// <param name="answers">To requests by name.</param>
    public async Task<string> FillInAsync(string text, Func<string, Task<string?>> values, IReadOnlyDictionary<string, JsonNode> answers)
    {
        while (Placeholder().Match(text) is { Success: true } match)
        {
            var said = match.Groups[1].Value;
            var value = Answered().Match(said) is { Success: true } member
                ? (string)member.Groups[2].Value.Split('.').Aggregate(answers[member.Groups[1].Value], (json, name) => json[name]!)!
                : await values(said) ?? Variables[said];
            text = text.Replace(match.Value, value, StringComparison.Ordinal);
        }
        return text;
    }

    private static Request Read(string part)
    {
        var lines = part.Split('\n');
        var (title, name) = (Title().Match(lines[0]), lines.Where(l => l.StartsWith("# @name ", StringComparison.Ordinal)).Select(l => l[8..].Trim()).FirstOrDefault());
        var said = lines.Skip(1).SkipWhile(l => l.Length == 0 || l.StartsWith('#')).ToArray();
        var headers = said.Skip(1).TakeWhile(l => l.Length > 0).Select(l => l.Split(": ", 2)).Select(h => (h[0], h[1])).ToArray();
        var body = string.Join('\n', said.Skip(2 + headers.Length)).Trim();
        return new(title.Groups[1].Value, int.Parse(title.Groups[2].ValueSpan, CultureInfo.InvariantCulture), name, said[0].Split(' ')[0], said[0].Split(' ')[1], headers, body.Length > 0 ? body : null);
    }

    [GeneratedRegex("^### ", RegexOptions.Multiline)]
    private static partial Regex Beginning();

    [GeneratedRegex(@"^@(\w+) = (.*)$", RegexOptions.Multiline)]
    private static partial Regex Variable();

    [GeneratedRegex(@"^(.+): (\d{3})$")]
    private static partial Regex Title();

    [GeneratedRegex(@"\{\{([^}]+)\}\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"^(\w+)\.response\.body\.\$\.([\w.]+)$")]
    private static partial Regex Answered();
}
