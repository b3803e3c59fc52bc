namespace Signup.Tests.Contract;

/// <summary>JSON as it was when others began to rely on it. A snapshot is written once, by hand, and not changed after.</summary>
internal static class Snapshot
{
    /// <summary>Fails where the snapshot is not there or differs in anything but white space between tokens.</summary>
    public static void Matches(string folder, string name, string json)
    {
        var file = Repository.File("tests", "Contract", "snapshots", folder, name + ".json");
        var actual = Indent(json);
        if (!File.Exists(file)) Assert.Fail($"{file} is missing: others may come to rely on this shape. Once it is as it should be, the file is to hold\n{actual}");
        Assert.Equal(File.ReadAllText(file), actual);
    }

    /// <summary>Names of the snapshots in a folder.</summary>
    public static IEnumerable<string> Names(string folder) =>
        Directory.GetFiles(Repository.File("tests", "Contract", "snapshots", folder), "*.json").Select(f => Path.GetFileNameWithoutExtension(f)!);

    // Keeps the very text of names and values (which letters are escaped, how a date is written), and only breaks lines.
    private static string Indent(string json)
    {
        var text = new System.Text.StringBuilder();
        var (depth, quoted) = (0, false);
        for (var i = 0; i < json.Length; i++)
        {
            var c = json[i];
            if (c == '"' && (i == 0 || json[i - 1] != '\\')) quoted = !quoted;
            if (quoted) text.Append(c);
            else if (c is '{' or '[') text.Append(c).Append('\n').Append(' ', ++depth * 2);
            else if (c is '}' or ']') text.Append('\n').Append(' ', --depth * 2).Append(c);
            else if (c is ',') text.Append(c).Append('\n').Append(' ', depth * 2);
            else if (c is ':') text.Append(": ");
            else text.Append(c);
        }
        return text.Append('\n').ToString();
    }
}
