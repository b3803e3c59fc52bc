using System.Globalization;
using Signup.EventLog;
using Signup.Hosting.Http;

namespace Signup.Query;

/// <summary>Reads a request's query string, and collects what is wrong with it, by parameter.</summary>
public sealed class QueryString
{
    private readonly IQueryCollection _query;
    private readonly Dictionary<string, string[]> _errors = [];

    /// <param name="query">As it came.</param>
    /// <param name="known">The names that mean something here; any other is an error, since a misspelt filter would answer another question.</param>
    public QueryString(IQueryCollection query, params string[] known)
    {
        _query = query;
        foreach (var (name, values) in query)
        {
            if (!known.Contains(name, StringComparer.OrdinalIgnoreCase)) Add(name, $"There is no such parameter. Known are: {string.Join(", ", known)}.");
            else if (values.Count > 1) Add(name, "Given more than once.");
        }
    }

    public bool Any => _errors.Count > 0;

    public void Add(string name, string error) => _errors.TryAdd(name, [error]);

    public IResult Problem() => Problems.Problem(StatusCodes.Status400BadRequest, "bad-request", "Bad request",
        string.Join(" ", _errors.Select(e => $"{e.Key}: {e.Value[0]}")), _errors);

    /// <summary>Not empty and without control characters, or null where it is not given.</summary>
    public string? Text(string name)
    {
        if (Value(name) is not { } text) return null;
        if (text.Trim().Length is > 0 and <= 254 && !text.Any(char.IsControl) && PlainText.IsPlain(text)) return text;
        Add(name, "Must be a text of 1 to 254 characters.");
        return null;
    }

    public long? Whole(string name, long least, long most)
    {
        if (Value(name) is not { } text) return null;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most) return number;
        Add(name, most == long.MaxValue ? $"Must be a whole number of {least} or more." : $"Must be a whole number from {least} to {most}.");
        return null;
    }

    public Guid? Id(string name)
    {
        if (Value(name) is not { } text) return null;
        if (Guid.TryParse(text, out var id)) return id;
        Add(name, "Must be an id, as a page's last element has it.");
        return null;
    }

    public string? OneOf(string name, params string[] values)
    {
        if (Value(name) is not { } text) return null;
        if (values.FirstOrDefault(v => v.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } value) return value;
        Add(name, $"Must be one of: {string.Join(", ", values)}.");
        return null;
    }

    /// <summary>ISO 8601 with seconds and an offset; without an offset it is UTC.</summary>
    public DateTimeOffset? Moment(string name)
    {
        if (Value(name) is not { } text) return null;
        // A plus sign that was not escaped arrives as a space.
        if (DateTimeOffset.TryParse(text.Trim().Replace(' ', '+'), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) && text.Length >= 10 && char.IsAsciiDigit(text[3]))
            return moment.ToUniversalTime();
        Add(name, "Must be a moment such as 2026-11-23T10:00:00Z.");
        return null;
    }

    private string? Value(string name) => _query.TryGetValue(name, out var values) && values.Count > 0 ? values[0] ?? "" : null;
}
