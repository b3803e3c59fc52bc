using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Signup.Hosting.Http;

/// <summary>The style sheets, scripts and pictures of a program: what its project embeds under <c>assets/</c>. Their addresses carry a hash of their content, so browsers may keep them for ever.</summary>
public sealed class Assets
{
    private const string Folder = "assets/";

    private sealed record Asset(byte[] Content, string ContentType, string Path);

    private readonly Dictionary<string, Asset> _all;

    public Assets(Assembly program) => _all = program.GetManifestResourceNames().Where(n => n.StartsWith(Folder, StringComparison.Ordinal)).Select(n => n[Folder.Length..]).ToDictionary(name => name, name => Read(program, name));

    /// <summary>The address of an asset.</summary>
    public string Path(string name) => _all[name].Path;

    public void Map(IEndpointRouteBuilder app)
    {
        foreach (var asset in _all.Values)
            app.MapGet(asset.Path, (HttpResponse response) =>
            {
                response.Headers.CacheControl = "public, max-age=31536000, immutable";
                return Results.Bytes(asset.Content, asset.ContentType);
            });
    }

    private static Asset Read(Assembly program, string name)
    {
        using var stream = program.GetManifestResourceStream(Folder + name)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        var extension = System.IO.Path.GetExtension(name);
        var type = extension switch { ".css" => "text/css; charset=utf-8", ".js" => "text/javascript; charset=utf-8", _ => "image/svg+xml" };
        var hash = Convert.ToHexStringLower(SHA256.HashData(content))[..10];
        return new Asset(content, type, $"/{Folder}{System.IO.Path.GetFileNameWithoutExtension(name)}.{hash}{extension}");
    }
}
