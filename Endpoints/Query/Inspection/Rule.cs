using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Signup.EventLog.Accounts;
using Signup.Query.Accounts;

namespace Signup.Query.Inspection;

/// <summary>
/// Something that should always hold for an account, such as <c>status = active implies mail = sent</c>.
/// <para>
/// <c>implies</c> binds least, then <c>or</c>, <c>and</c>, <c>not</c>; parentheses group. A comparison is <c>field op value</c> with
/// <c>= != &lt; &lt;= &gt; &gt;=</c>; numbers and moments compare as such, all else as text without regard to case. A field alone holds
/// where it is there. Fields are those of the document, <c>mail.sentAt</c> is one inside another, <c>mail</c> alone is <c>mail.state</c>;
/// as a value a field is written with <c>@</c>, as in <c>activatedAt &gt;= @createdAt</c>. A comparison with what is not there does not hold, but for <c>!=</c>.
/// </para>
/// </summary>
public sealed class Rule
{
    private static readonly HashSet<string> Fields = [.. FieldsOf(typeof(AccountDocument), ""), .. FieldsOf(typeof(MailStatus), "mail.")];
    private static readonly string[] Operators = ["!=", "<=", ">=", "=", "<", ">"];
    private readonly Func<JsonObject, bool> _holds;
    private readonly string _text;

    private Rule(string text, Func<JsonObject, bool> holds) => (_text, _holds) = (text, holds);

    public bool Holds(JsonObject document) => _holds(document);

    public override string ToString() => _text;

    /// <exception cref="FormatException">It is no rule. Says where and why.</exception>
    public static Rule Parse(string text)
    {
        var parser = new Parser(Tokens(text));
        var holds = parser.Implication();
        if (parser.Next is { } rest) throw new FormatException($"'{rest}' is unexpected in the rule.");
        return new Rule(text, holds);
    }

    private static IEnumerable<string> FieldsOf(Type type, string prefix) => type.GetProperties(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Instance)
        .Select(p => prefix + JsonNamingPolicy.CamelCase.ConvertName(p.Name));

    private static List<string> Tokens(string text)
    {
        var tokens = new List<string>();
        for (var i = 0; i < text.Length;)
        {
            if (char.IsWhiteSpace(text[i])) i++;
            else if (text[i] is '(' or ')') tokens.Add(text[i++].ToString());
            else if (Array.Find(Operators, o => string.CompareOrdinal(text, i, o, 0, o.Length) == 0) is { } op)
            {
                tokens.Add(op);
                i += op.Length;
            }
            else if (text[i] is '\'' or '"')
            {
                var end = text.IndexOf(text[i], i + 1);
                if (end < 0) throw new FormatException("A quotation mark in the rule is not closed.");
                tokens.Add("'" + text[(i + 1)..end]);
                i = end + 1;
            }
            else
            {
                var start = i;
                while (i < text.Length && !char.IsWhiteSpace(text[i]) && !"()=!<>'\"".Contains(text[i], StringComparison.Ordinal)) i++;
                // A lone character that begins nothing, such as an exclamation mark.
                if (i == start) i++;
                tokens.Add(text[start..i]);
            }
        }
        return tokens;
    }

    private sealed class Parser(List<string> tokens)
    {
        private int _at;

        public string? Next => _at < tokens.Count ? tokens[_at] : null;

        public Func<JsonObject, bool> Implication()
        {
            var condition = Many("or", () => Many("and", Negation, all: true), all: false);
            if (!Take("implies")) return condition;
            var consequence = Implication();
            return d => !condition(d) || consequence(d);
        }

        private Func<JsonObject, bool> Many(string word, Func<Func<JsonObject, bool>> part, bool all)
        {
            var parts = new List<Func<JsonObject, bool>> { part() };
            while (Take(word)) parts.Add(part());
            return all ? d => parts.TrueForAll(p => p(d)) : d => parts.Exists(p => p(d));
        }

        private Func<JsonObject, bool> Negation()
        {
            if (Take("not"))
            {
                var inner = Negation();
                return d => !inner(d);
            }
            if (!Take("(")) return Comparison();
            var group = Implication();
            if (!Take(")")) throw new FormatException("A parenthesis in the rule is not closed.");
            return group;
        }

        private Func<JsonObject, bool> Comparison()
        {
            var field = Field(Word("a field"));
            if (Next is not { } op || !Operators.Contains(op)) return d => Value(d, field) is not (null or "false");
            _at++;
            var value = Word("a value");
            Func<JsonObject, string?> right = value[0] == '@' ? Referred(Field(value[1..])) : Literal(value[0] == '\'' ? value[1..] : value);
            return d => Value(d, field) is { } l && right(d) is { } r ? Compare(l, op, r) : op == "!=";

            static Func<JsonObject, string?> Referred(string other) => d => Value(d, other);
            static Func<JsonObject, string?> Literal(string text) => _ => text;
        }

        private string Word(string what)
        {
            if (Next is not { } word || Operators.Contains(word) || word is "(" or ")" or "implies" or "and" or "or" or "not")
                throw new FormatException($"The rule lacks {what}{(_at < tokens.Count ? $" before '{tokens[_at]}'" : " at its end")}.");
            _at++;
            return word;
        }

        private bool Take(string word)
        {
            if (!string.Equals(Next, word, StringComparison.OrdinalIgnoreCase)) return false;
            _at++;
            return true;
        }
    }

    private static string Field(string name) => Fields.Contains(name) ? name == "mail" ? "mail.state" : name
        : throw new FormatException($"An account has no field '{name}'. It has: {string.Join(", ", Fields.Order())}.");

    private static string? Value(JsonObject document, string field)
    {
        JsonNode? node = document;
        foreach (var name in field.Split('.')) node = (node as JsonObject)?[name];
        return node?.ToString();
    }

    private static bool Compare(string left, string op, string right)
    {
        var order = decimal.TryParse(left, NumberStyles.Number, CultureInfo.InvariantCulture, out var l) && decimal.TryParse(right, NumberStyles.Number, CultureInfo.InvariantCulture, out var r) ? l.CompareTo(r)
            : Moment(left) is { } a && Moment(right) is { } b ? a.CompareTo(b)
            : StringComparer.OrdinalIgnoreCase.Compare(left, right);
        return op switch { "=" => order == 0, "!=" => order != 0, "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 };
    }

    private static DateTimeOffset? Moment(string text) =>
        text.Length >= 10 && text[4] == '-' && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) ? moment : null;
}
