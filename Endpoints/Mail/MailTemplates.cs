using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Signup.Mail;

/// <summary>What a template may name, as <c>{{username}}</c>, <c>{{link}}</c>, <c>{{expires}}</c>, <c>{{site}}</c>.</summary>
public sealed record MailValues(string Username, string Link, string Expires, string Site);

/// <summary>A mail in one language.</summary>
public sealed record MailTemplate(CultureInfo Culture, TemplateText Subject, TemplateText Text, TemplateText Html);

/// <summary>The templates of a folder: <c>{name}.{language}.txt</c>, which begins with <c>Subject: …</c> and an empty line, and <c>{name}.{language}.html</c>.</summary>
public sealed partial class MailTemplates
{
    /// <summary>For accounts in a language that has no templates.</summary>
    private const string DefaultLanguage = "en";

    private static readonly string[] Names = ["activation", "reminder"];

    private readonly FrozenDictionary<(string Name, string Language), MailTemplate> _templates;

    /// <exception cref="InvalidOperationException">A file is missing or wrong. Says which, and what about it.</exception>
    public MailTemplates(string directory)
    {
        if (!Directory.Exists(directory)) throw new InvalidOperationException($"The folder of the mail templates (setting Mail:Templates) does not exist: {directory}");
        var languages = Directory.EnumerateFiles(directory, "*.txt").Select(f => Path.GetExtension(Path.GetFileNameWithoutExtension(f)).TrimStart('.')).Append(DefaultLanguage).Distinct();
        _templates = languages.SelectMany(language => Names.Select(name => (name, language)))
            .ToFrozenDictionary(key => key, key => Load(directory, key.name, key.language));
    }

    public MailTemplate Find(string name, string language) =>
        _templates.TryGetValue((name, language), out var template) ? template : _templates[(name, DefaultLanguage)];

    private static MailTemplate Load(string directory, string name, string language)
    {
        var textFile = Path.Combine(directory, $"{name}.{language}.txt");
        var lines = Read(textFile).Split('\n', 2);
        const string subject = "Subject: ";
        if (!lines[0].StartsWith(subject, StringComparison.Ordinal) || lines.Length < 2)
            throw new InvalidOperationException($"The mail template {textFile} must begin with a line 'Subject: …', followed by the text.");
        var template = new MailTemplate(
            Culture(language, textFile),
            Parse(lines[0][subject.Length..].Trim(), textFile),
            Parse(lines[1].TrimStart('\n'), textFile),
            Parse(Read(Path.Combine(directory, $"{name}.{language}.html")), textFile));
        return template.Text.Names("link") && template.Html.Names("link")
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

    private static TemplateText Parse(string text, string file)
    {
        var parts = Placeholder().Split(text);
        for (var i = 1; i < parts.Length; i += 2)
            if (!TemplateText.Known.Contains(parts[i]))
                throw new InvalidOperationException($"The mail template {file} names {{{{{parts[i]}}}}}, which does not exist. There are: {string.Join(", ", TemplateText.Known)}.");
        return new TemplateText(parts);
    }

    [GeneratedRegex(@"\{\{\s*(\w+)\s*\}\}", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();
}

/// <summary>Text with places to fill in: every second part is a name.</summary>
public sealed class TemplateText(string[] parts)
{
    internal static readonly string[] Known = ["username", "link", "expires", "site"];

    public bool Names(string placeholder) => parts.Where((_, i) => i % 2 == 1).Contains(placeholder);

    public string Fill(MailValues values, Func<string, string>? escape = null)
    {
        var text = new StringBuilder();
        for (var i = 0; i < parts.Length; i++)
        {
            var part = i % 2 == 0 ? parts[i] : parts[i] switch
            {
                "username" => values.Username,
                "link" => values.Link,
                "expires" => values.Expires,
                _ => values.Site,
            };
            text.Append(i % 2 == 1 && escape is not null ? escape(part) : part);
        }
        return text.ToString();
    }
}
