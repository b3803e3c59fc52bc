using System.Reflection;
using System.Text;
using System.Text.Json;
using Signup.EventLog;

namespace Signup.Uniqueness;

public enum ClaimAction { Create, Update, Delete, Reserve }

/// <summary>What an event does to one constraint, by the names of its fields.</summary>
/// <param name="Field">The field claimed or given up; for an update, the new value's. <c>*</c>: whatever the stream holds.</param>
/// <param name="From">For an update, the field of the value given up.</param>
/// <param name="Until">For a reservation, the field of its end.</param>
/// <param name="Unless">For a reservation, the field that says whether there is none after all; null: there always is one.</param>
public sealed record ClaimRule(string Constraint, ClaimAction Action, string Field, string? From, string? Until = null, string? Unless = null);

/// <summary>What one event does to one constraint, by value, normalized.</summary>
/// <param name="Value">The value claimed or given up; null: whatever the stream holds, or nothing, where this is a reservation.</param>
/// <param name="Until">The end of a reservation; null: it is none.</param>
public sealed record Claim(string Constraint, ClaimAction Action, string? Value, string? From, DateTimeOffset? Until = null)
{
    /// <summary>Null: none, or whatever the stream holds.</summary>
    internal UniqueValue? GivenUp => (Action == ClaimAction.Update ? From : Action == ClaimAction.Delete ? Value : null) is { } value ? new(Constraint, value) : null;

    internal bool GivesUpAll => Action == ClaimAction.Delete && Value is null;

    /// <summary>Null: none.</summary>
    internal UniqueValue? Taken => Action == ClaimAction.Delete || Value is null ? null : new(Constraint, Value);
}

/// <summary>One value of one constraint, normalized.</summary>
internal readonly record struct UniqueValue(string Constraint, string Value);

/// <summary>Who holds a value.</summary>
/// <param name="Until">Null: it is the stream's, until that gives it up. Else it is reserved for the stream: until then, or until the stream's next event that does anything to this
/// constraint. Once it is over it is anybody's, this stream's, too.</param>
internal readonly record struct Holding(Guid Stream, DateTimeOffset? Until = null);

/// <summary>The contents of <c>uniqueness.json</c>.</summary>
public sealed class UniquenessRules
{
    public const string Anything = "*";

    /// <summary>What PostgreSQL can index, 2,704 bytes, and some room for the constraint's name.</summary>
    private const int MostBytes = 2_000;

    private readonly Dictionary<string, Func<string, string>> _normalizers = [];
    private readonly Dictionary<string, List<ClaimRule>> _events = [];

    public IReadOnlyCollection<string> EventNames => _events.Keys;

    /// <summary>Whether the file names this kind of event.</summary>
    public bool Names(string eventName) => _events.ContainsKey(eventName);

    /// <summary>The rules for a kind of event; empty where it touches nothing that is unique.</summary>
    public IReadOnlyList<ClaimRule> RulesFor(string eventName) => _events.GetValueOrDefault(eventName) ?? [];

    /// <summary>What this event does to unique values.</summary>
    /// <exception cref="FormatException">A field is missing, or its value cannot be normalized. Says which.</exception>
    public IReadOnlyList<Claim> ClaimsOf(string eventName, JsonElement data) =>
        [.. RulesFor(eventName).Select(rule => new Claim(rule.Constraint, rule.Action,
            rule.Field == Anything || IsSo(rule.Unless, data) ? null : Value(rule, rule.Field, data),
            rule.From is null ? null : Value(rule, rule.From, data),
            rule.Until is null ? null : Time(rule, rule.Until, data)))];

    /// <summary>The same of an event in the log. It may be about somebody who was forgotten since, with all that they held.</summary>
    /// <exception cref="FormatException">As above.</exception>
    public IReadOnlyList<Claim> ClaimsOfLogged(string eventName, JsonElement data) =>
        RulesFor(eventName).Any(r => IsEmpty(r.Field, data) || IsEmpty(r.From, data)) ? [] : ClaimsOf(eventName, data);

    private static bool IsEmpty(string? field, JsonElement data) => field is not null && data.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String && value.ValueEquals("");

    private string Value(ClaimRule rule, string field, JsonElement data)
    {
        if (!data.TryGetProperty(field, out var value) || value.ValueKind != JsonValueKind.String || string.IsNullOrWhiteSpace(value.GetString()))
            throw new FormatException($"The field '{field}' is missing or empty; the constraint '{rule.Constraint}' needs it.");
        var normalized = _normalizers[rule.Constraint](value.GetString()!);
        return Encoding.UTF8.GetByteCount(normalized) <= MostBytes ? normalized : throw new FormatException($"The field '{field}' is too long to be unique; at most {MostBytes} bytes in UTF-8 are.");
    }

    private static bool IsSo(string? field, JsonElement data) => field is not null && data.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.True;

    private static DateTimeOffset Time(ClaimRule rule, string field, JsonElement data) =>
        data.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out var time)
            ? time
            : throw new FormatException($"The field '{field}' is missing, or no time; the constraint '{rule.Constraint}' needs it.");

    /// <summary>The form in which values of this constraint are compared.</summary>
    /// <exception cref="FormatException">There is no such constraint, or this is no value of it.</exception>
    public string Normalize(string constraint, string value) => _normalizers.TryGetValue(constraint, out var normalize)
        ? normalize(value)
        : throw new FormatException($"There is no constraint '{constraint}'; there are: {string.Join(", ", _normalizers.Keys)}.");

    /// <param name="path">For messages.</param>
    /// <exception cref="UniquenessFileException">The file is wrong. Says where and what.</exception>
    public static UniquenessRules Parse(byte[] utf8, string path)
    {
        try
        {
            return new UniquenessRules(new RulesReader(utf8));
        }
        catch (UniquenessFileException e)
        {
            throw new UniquenessFileException($"{path}: {e.Message}", e);
        }
    }

    private UniquenessRules(RulesReader reader)
    {
        reader.Object(section =>
        {
            switch (section)
            {
                case "constraints": reader.Object(name => ReadConstraint(reader, name)); break;
                case "events": reader.Object(name => ReadEvent(reader, name)); break;
                default: throw reader.Wrong($"'{section}' is unknown here; known are 'constraints' and 'events'.");
            }
        });
        if (_events.Count == 0) throw reader.Wrong("no event is named; 'events' must name at least one.");
    }

    private void ReadConstraint(RulesReader reader, string name) => reader.Object(key =>
    {
        if (key != "normalize") throw reader.Wrong($"'{key}' is unknown here; known is 'normalize'.");
        var normalizer = reader.String();
        _normalizers[name] = normalizer switch
        {
            "email" => EmailAddress.Normalize,
            "casefold" => EmailAddress.CaseFold,
            "exact" => text => text,
            _ => throw reader.Wrong($"the normalizer '{normalizer}' is unknown; known are 'email', 'casefold' and 'exact'."),
        };
    });

    private void ReadEvent(RulesReader reader, string eventName)
    {
        if (EventTypes.Find(eventName) is not { } type)
            throw reader.Wrong($"the log knows no event '{eventName}'; it knows {string.Join(", ", EventTypes.All.Select(t => t.Name))}.");
        var rules = _events[eventName] = [];
        reader.Object(constraint =>
        {
            if (!_normalizers.ContainsKey(constraint))
                throw reader.Wrong($"the constraint '{constraint}' is not described; 'constraints', which must come first, describes {string.Join(", ", _normalizers.Keys)}.");
            reader.Object(action => rules.Add(ReadRule(reader, type, constraint, action)));
        });
    }

    private static ClaimRule ReadRule(RulesReader reader, EventType type, string constraint, string action)
    {
        switch (action)
        {
            case "create":
                return new ClaimRule(constraint, ClaimAction.Create, Field(reader.String()), null);
            case "delete":
                var field = reader.String();
                return new ClaimRule(constraint, ClaimAction.Delete, field == Anything ? field : Field(field), null);
            case "update":
                string? from = null, to = null;
                reader.Object(key => _ = key switch
                {
                    "from" => from = Field(reader.String()),
                    "to" => to = Field(reader.String()),
                    _ => throw reader.Wrong($"'{key}' is unknown here; an update has 'from' and 'to'."),
                });
                if (from is null || to is null) throw reader.Wrong("an update needs both 'from' and 'to'.");
                return new ClaimRule(constraint, ClaimAction.Update, to, from);
            case "reserve":
                string? value = null, until = null, unless = null;
                reader.Object(key => _ = key switch
                {
                    "value" => value = Field(reader.String()),
                    "until" => until = Typed<DateTimeOffset>(reader.String(), "time"),
                    "unless" => unless = Typed<bool>(reader.String(), "truth value"),
                    _ => throw reader.Wrong($"'{key}' is unknown here; a reservation has 'value', 'until' and 'unless'."),
                });
                if (value is null || until is null) throw reader.Wrong("a reservation needs both 'value' and 'until'.");
                return new ClaimRule(constraint, ClaimAction.Reserve, value, null, until, unless);
            default:
                throw reader.Wrong($"'{action}' is unknown here; known are 'create', 'update', 'delete' and 'reserve'.");
        }

        string Field(string name) => Find(name) is not null ? name : throw reader.Wrong($"the event '{type.Name}' has no field '{name}'.");

        string Typed<T>(string name, string what) => Find(Field(name))!.PropertyType == typeof(T) ? name : throw reader.Wrong($"the field '{name}' of the event '{type.Name}' is no {what}.");

        PropertyInfo? Find(string name) => type.Stored.GetProperties().FirstOrDefault(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name) == name);
    }
}

/// <summary>The file <c>uniqueness.json</c> cannot be used.</summary>
public sealed class UniquenessFileException(string message, Exception? inner = null) : Exception(message, inner);
