using System.Security.Cryptography;

namespace Signup.Gateway.Web;

/// <summary>The style sheet, the script and the picture. Their addresses carry a hash of their content, so browsers may keep them for ever.</summary>
public static class SiteAssets
{
    private sealed record Asset(byte[] Content, string ContentType, string Path);

    private static readonly Dictionary<string, Asset> All = new[] { "site.css", "ops.css", "site.js", "icon.svg" }.ToDictionary(name => name, Read);

    /// <summary>The address of an asset.</summary>
    public static string Path(string name) => All[name].Path;

    public static void MapAssets(this IEndpointRouteBuilder app)
    {
        foreach (var asset in All.Values)
            app.MapGet(asset.Path, (HttpResponse response) =>
            {
                response.Headers.CacheControl = "public, max-age=31536000, immutable";
                return Results.Bytes(asset.Content, asset.ContentType);
            });
    }

    private static Asset Read(string name)
    {
        using var stream = typeof(SiteAssets).Assembly.GetManifestResourceStream("assets/" + name)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        var extension = System.IO.Path.GetExtension(name);
        var type = extension switch { ".css" => "text/css; charset=utf-8", ".js" => "text/javascript; charset=utf-8", _ => "image/svg+xml" };
        var hash = Convert.ToHexStringLower(SHA256.HashData(content))[..10];
        return new Asset(content, type, $"/assets/{System.IO.Path.GetFileNameWithoutExtension(name)}.{hash}{extension}");
    }
}
