using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Signup.Mail;

/// <summary>What a template may name, as <c>{{username}}</c>, <c>{{link}}</c>, <c>{{site}}</c>, or <c>{{expires|d MMMM yyyy}}</c>, where .NET's date format follows the bar.
/// A mail without a link knows of none, and of no end.</summary>
/// <param name="Expires">In UTC.</param>
public sealed record MailValues(string Username, string Link, string Site, DateTime Expires);

/// <summary>A mail in one language.</summary>
public sealed record MailTemplate(CultureInfo Culture, TemplateText Subject, TemplateText Text, TemplateText Html);

/// <summary>The templates of a folder: <c>{name}.{language}.txt</c>, which begins with <c>Subject: …</c> and an empty line, and <c>{name}.{language}.html</c>.</summary>
public sealed partial class MailTemplates
{
    /// <summary>For accounts in a language that has no templates.</summary>
    private const string DefaultLanguage = "en";

    private readonly FrozenDictionary<(string Name, string Language), MailTemplate> _templates;

    /// <exception cref="InvalidOperationException">A file is missing or wrong. Says which, and what about it.</exception>
    public MailTemplates(string directory)
    {
        if (!Directory.Exists(directory)) throw new InvalidOperationException($"The folder of the mail templates (setting Mail:Templates) does not exist: {directory}");
        var languages = Directory.EnumerateFiles(directory, "*.txt").Select(f => Path.GetExtension(Path.GetFileNameWithoutExtension(f)).TrimStart('.')).Append(DefaultLanguage).Distinct();
        _templates = languages.SelectMany(language => MailKind.All.Select(kind => (kind, language)))
            .ToFrozenDictionary(key => (key.kind.Name, key.language), key => Load(directory, key.kind, key.language));
    }

    public MailTemplate Find(string name, string language) =>
        _templates.TryGetValue((name, language), out var template) ? template : _templates[(name, DefaultLanguage)];

    private static MailTemplate Load(string directory, MailKind kind, string language)
    {
        var textFile = Path.Combine(directory, $"{kind.Name}.{language}.txt");
        var lines = Read(textFile).Split('\n', 2);
        const string subject = "Subject: ";
        if (!lines[0].StartsWith(subject, StringComparison.Ordinal) || lines.Length < 2)
            throw new InvalidOperationException($"The mail template {textFile} must begin with a line 'Subject: …', followed by the text.");
        var culture = Culture(language, textFile);
        var htmlFile = Path.ChangeExtension(textFile, ".html");
        var known = kind.Link is null ? TemplateText.WithoutLink : TemplateText.Known;
        var template = new MailTemplate(culture, Parse(lines[0][subject.Length..].Trim(), culture, textFile, known),
            Parse(lines[1].TrimStart('\n'), culture, textFile, known), Parse(Read(htmlFile), culture, htmlFile, known));
        return kind.Link is null || (template.Text.Names("link") && template.Html.Names("link"))
            ? template
            : throw new InvalidOperationException($"The mail template {textFile}, or the .html beside it, lacks {{{{link}}}}.");
    }

    private static string Read(string file) => File.Exists(file)
        ? File.ReadAllText(file, Encoding.UTF8).ReplaceLineEndings("\n")
        : throw new InvalidOperationException($"The mail template {file} is missing.");

    private static CultureInfo Culture(string language, string file)
    {
        try
        {
            return CultureInfo.GetCultureInfo(language, predefinedOnly: true);
        }
        catch (CultureNotFoundException e)
        {
            throw new InvalidOperationException($"The mail template {file} names no language that is known.", e);
        }
    }

    private static TemplateText Parse(string text, CultureInfo culture, string file, string[] known)
    {
        var parts = new List<(string? Name, string Text)>();
        var end = 0;
        foreach (Match placeholder in Placeholder().Matches(text))
        {
            var (name, format) = (placeholder.Groups["name"].Value, placeholder.Groups["format"].Value);
            if (!known.Contains(name))
                throw new InvalidOperationException($"The mail template {file} names {{{{{name}}}}}, which does not exist. There are: {string.Join(", ", known)}.");
            parts.Add((null, text[end..placeholder.Index]));
            parts.Add((name, format.Length > 0 ? format : "yyyy-MM-dd HH:mm"));
            end = placeholder.Index + placeholder.Length;
        }
        parts.Add((null, text[end..]));
        return new TemplateText(parts, culture);
    }

    [GeneratedRegex(@"\{\{\s*(?<name>\w+)\s*(\|\s*(?<format>[^}]*?)\s*)?\}\}", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();
}

/// <summary>Text with places to fill in.</summary>
public sealed class TemplateText(IReadOnlyList<(string? Name, string Text)> parts, CultureInfo culture)
{
    internal static readonly string[] WithoutLink = ["username", "site"], Known = [.. WithoutLink, "link", "expires"];

    public bool Names(string placeholder) => parts.Any(p => p.Name == placeholder);

    /// <param name="escape">For what is filled in, not for the template's own text.</param>
    public string Fill(MailValues values, Func<string, string>? escape = null)
    {
        var filled = new StringBuilder();
        foreach (var (name, text) in parts)
        {
            var value = name switch
            {
                "username" => values.Username,
                "link" => values.Link,
                "site" => values.Site,
                "expires" => values.Expires.ToString(text, culture),
                _ => null,
            };
            filled.Append(value is null ? text : escape is null ? value : escape(value));
        }
        return filled.ToString();
    }
}
