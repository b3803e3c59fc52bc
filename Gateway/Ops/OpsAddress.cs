using Signup.Gateway.Pages;
using Signup.Hosting.Http;
using Signup.Hosting.Operations;

namespace Signup.Gateway.Ops;

/// <summary>The second address of the gateway, <c>Ops:Url</c>, on which alone <c>/ops</c> answers. The public address knows no such page.</summary>
/// <param name="Port">Null: there is none.</param>
/// <param name="PublicUrls">Where the public is answered.</param>
public sealed record OpsAddress(int? Port, IReadOnlyList<string> PublicUrls)
{
    private const string Setting = "Ops:Url";

    /// <summary>Listens there, if there is an operator: to be found, it takes one with a key.</summary>
    /// <exception cref="InvalidOperationException">The setting is no address, or has the port of the public one.</exception>
    public static void Add(WebApplicationBuilder builder)
    {
        var (publicUrls, address) = (UrlsOf(builder.Configuration), Find(builder.Configuration));
        builder.Services.AddSingleton(new OpsAddress(address?.Port, publicUrls));
        if (address is null) return;
        // Endpoints in Kestrel's own section would have it forget all other addresses.
        if (builder.Configuration.GetSection("Kestrel:Endpoints").GetChildren().Any()) builder.Configuration["Kestrel:Endpoints:Operators:Url"] = address.ToString();
        else builder.WebHost.UseUrls([.. publicUrls, address.ToString()]);
    }

    /// <summary>Which requests came to it is told by the port that they came to, which no header can change.</summary>
    public static void Use(WebApplication app)
    {
        if (app.Services.GetRequiredService<OpsAddress>().Port is not { } port) return;
        app.MapWhen(http => http.Connection.LocalPort == port, ops =>
        {
            ops.UseHeadRouting();
            ops.UseEndpoints(routes =>
            {
                routes.MapGet("/", () => Results.Redirect(OpsRoutes.Path));
                routes.MapOps();
                Layout.Files.Map(routes);
                routes.MapHealth();
            });
        });
    }

    /// <summary>Where the public is answered, as the framework reads it.</summary>
    public static IReadOnlyList<string> UrlsOf(IConfiguration settings)
    {
        if (Parts(settings["urls"]) is { Length: > 0 } urls) return urls;
        string[] ports = [.. Parts(settings["http_ports"]).Select(port => $"http://*:{port}"), .. Parts(settings["https_ports"]).Select(port => $"https://*:{port}")];
        return ports.Length > 0 ? ports : ["http://localhost:5000"];

        static string[] Parts(string? list) => (list ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
    }

    private static BindingAddress? Find(ConfigurationManager settings)
    {
        if (settings[Setting] is not { Length: > 0 } url || Operators.KeysIn(settings).Count == 0) return null;
        BindingAddress address;
        try
        {
            address = BindingAddress.Parse(url);
        }
        catch (FormatException)
        {
            throw Wrong("is no address");
        }
        if (address.Scheme is not ("http" or "https") || address.Port <= 0 || address.IsUnixPipe || address.PathBase.Length > 0) throw Wrong("is no address");
        if (UrlsOf(settings).Any(u => BindingAddress.Parse(u).Port == address.Port)) throw Wrong("has the port of the public address");
        return address;

        InvalidOperationException Wrong(string why) => new($"The setting {Setting} {why}: '{url}'. It is one like http://127.0.0.1:5081, with a port of its own: /ops answers there, and nowhere else.");
    }
}
