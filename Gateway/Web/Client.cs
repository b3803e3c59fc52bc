using Microsoft.Net.Http.Headers;
using Signup.Gateway.Pages;

namespace Signup.Gateway.Web;

/// <summary>What a request says about who sent it.</summary>
public static class Client
{
    /// <summary>Whether a page of another site made the browser send it.</summary>
    public static bool IsFromElsewhere(HttpRequest request)
    {
        var origin = request.Headers.Origin.ToString();
        return origin.Length > 0 && !origin.Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Whether it is a person with a browser rather than a program: text/html is wanted, and no less than JSON.</summary>
    public static bool WantsPage(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted)) return false;
        var html = Quality(accepted, "text/html");
        return html > 0 && html >= Math.Max(Quality(accepted, "application/json"), Quality(accepted, "application/problem+json"));
    }

    /// <summary>English, or German for whoever prefers that.</summary>
    public static Texts Texts(HttpRequest request)
    {
        if (!StringWithQualityHeaderValue.TryParseList(request.Headers.AcceptLanguage, out var accepted)) return Pages.Texts.English;
        // OrderBy keeps the order of equals.
        foreach (var language in accepted.Where(l => l.Quality is null or > 0).OrderByDescending(l => l.Quality ?? 1))
        {
            var tag = language.Value.AsSpan();
            var primary = tag.IndexOf('-') is var dash and > 0 ? tag[..dash] : tag;
            if (primary.Equals("de", StringComparison.OrdinalIgnoreCase)) return Pages.Texts.German;
            if (primary.Equals("en", StringComparison.OrdinalIgnoreCase)) return Pages.Texts.English;
        }
        return Pages.Texts.English;
    }

    private static double Quality(IList<MediaTypeHeaderValue> accepted, string type) =>
        accepted.Where(a => a.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase)).Select(a => a.Quality ?? 1).DefaultIfEmpty(0).Max();
}
