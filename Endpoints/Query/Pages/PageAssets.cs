using System.Security.Cryptography;

namespace Signup.Query.Pages;

/// <summary>The style sheet, the script and the icon. Their addresses carry a hash of their content, so browsers may keep them for ever.</summary>
public static class PageAssets
{
    private static readonly Dictionary<string, (byte[] Content, string Type, string Path)> All =
        new[] { ("query.css", "text/css; charset=utf-8"), ("query.js", "text/javascript; charset=utf-8"), ("icon.svg", "image/svg+xml") }.ToDictionary(a => a.Item1, a => Read(a.Item1, a.Item2));

    public static string Path(string name) => All[name].Path;

    public static void MapAssets(this IEndpointRouteBuilder app)
    {
        foreach (var asset in All.Values)
            app.MapGet(asset.Path, (HttpResponse response) =>
            {
                response.Headers.CacheControl = "public, max-age=31536000, immutable";
                response.Headers.XContentTypeOptions = "nosniff";
                return Results.Bytes(asset.Content, asset.Type);
            });
    }

    private static (byte[], string, string) Read(string name, string type)
    {
        using var stream = typeof(PageAssets).Assembly.GetManifestResourceStream("assets/" + name)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return (content, type, $"/assets/{Convert.ToHexStringLower(SHA256.HashData(content))[..10]}.{name}");
    }
}
