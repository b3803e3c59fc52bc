using System.Text.Json;

namespace Signup.Uniqueness;

/// <summary>Reads JSON so that whoever finds something wrong can say in which line.</summary>
internal sealed class RulesReader
{
    private readonly byte[] _utf8;
    private readonly List<(JsonTokenType Type, string Text, long Offset)> _tokens = [];
    private int _next;

    public RulesReader(byte[] utf8)
    {
        _utf8 = utf8;
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        try
        {
            while (reader.Read())
                _tokens.Add((reader.TokenType, reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.String ? reader.GetString()! : "", reader.TokenStartIndex));
        }
        catch (JsonException e)
        {
            throw new UniquenessFileException($"line {e.LineNumber + 1}: this is not JSON: {e.Message}", e);
        }
    }

    /// <summary>An object here; <paramref name="member"/> is called with each name and must read the value.</summary>
    public void Object(Action<string> member)
    {
        if (Take().Type != JsonTokenType.StartObject) throw Wrong("an object {…} must stand here.");
        var seen = new HashSet<string>();
        while (true)
        {
            var (type, text, _) = Take();
            if (type == JsonTokenType.EndObject) return;
            if (!seen.Add(text)) throw Wrong($"'{text}' stands here twice.");
            member(text);
        }
    }

    public string String()
    {
        var (type, text, _) = Take();
        return type == JsonTokenType.String && text.Length > 0 ? text : throw Wrong("a text must stand here.");
    }

    /// <summary>An exception that names the line of what was read last.</summary>
    public UniquenessFileException Wrong(string what)
    {
        var offset = _tokens[Math.Max(0, _next - 1)].Offset;
        return new UniquenessFileException($"line {1 + _utf8.AsSpan(0, (int)offset).Count((byte)'\n')}: {what}");
    }

    private (JsonTokenType Type, string Text, long Offset) Take() =>
        _next < _tokens.Count ? _tokens[_next++] : throw new UniquenessFileException("the file is empty.");
}
