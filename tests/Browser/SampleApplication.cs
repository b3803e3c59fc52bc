using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Signup.Tests.Browser;

/// <summary>An application as others write theirs, with ASP.NET Core's own client: told nothing but where people sign in, what it is called there, and its secret.</summary>
public sealed class SampleApplication : IAsyncDisposable
{
    public const string Name = "The corner shop";

    private const string Id = "corner-shop", Secret = "known to the two of us";

    private WebApplication? _app;

    public string Url { get; } = SignupProcess.FreeUrl();

    /// <summary>Where those who have to be signed in go.</summary>
    public string MembersUrl => $"{Url}/members";

    /// <summary>The same, for an application of the house.</summary>
    public string HouseUrl => $"{Url}/house";

    /// <summary>The file for <c>OpenId__ClientsFile</c>: this one, and the same as one of the house.</summary>
    public async Task<string> WriteClientsFileAsync()
    {
        var file = Path.Combine(Path.GetTempPath(), $"applications.{Guid.NewGuid():N}.json");
        object Client(string id, object more) => new { id, name = Name, redirectUris = new[] { $"{Url}/signin-{id}" }, secretSha256 = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(Secret))), consent = more };
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(new { clients = new[] { Client(Id, "systematic"), Client($"{Id}-of-the-house", "implicit") } }));
        return file;
    }

    public async Task StartAsync(string authority)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(Url);
        builder.Logging.ClearProviders();
        var services = builder.Services.AddAuthorization().AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(cookie => cookie.Cookie.Name = "shop");
        foreach (var id in new[] { Id, $"{Id}-of-the-house" })
            services.AddOpenIdConnect(id, options =>
            {
                options.Authority = authority;
                options.RequireHttpsMetadata = false;
                (options.ClientId, options.ClientSecret, options.CallbackPath) = (id, Secret, $"/signin-{id}");
                (options.ResponseType, options.ResponseMode) = ("code", "query");
                options.Scope.Add("email");
                options.GetClaimsFromUserInfoEndpoint = true;
                options.MapInboundClaims = false;
                options.TokenValidationParameters.NameClaimType = "name";
                options.Events.OnRemoteFailure = context =>
                {
                    context.HandleResponse();
                    return WriteAsync(context.HttpContext, "Not let in", context.Failure!.Message);
                };
            });
        _app = builder.Build();
        _app.UseAuthentication();
        _app.UseAuthorization();
        _app.MapGet("/members", http => WelcomeAsync(http, Id));
        _app.MapGet("/house", http => WelcomeAsync(http, $"{Id}-of-the-house"));
        await _app.StartAsync();
    }

    private static Task WelcomeAsync(HttpContext http, string scheme) => http.User.Identity is { IsAuthenticated: true, Name: var name }
        ? WriteAsync(http, $"Welcome, {name}", $"{http.User.FindFirst("email")?.Value}, verified: {http.User.FindFirst("email_verified")?.Value}")
        : http.ChallengeAsync(scheme, new AuthenticationProperties { RedirectUri = http.Request.Path });

    private static Task WriteAsync(HttpContext http, string title, string text)
    {
        http.Response.ContentType = "text/html; charset=utf-8";
        return http.Response.WriteAsync($"<!DOCTYPE html><html lang=\"en\"><title>Shop</title><link rel=\"icon\" href=\"data:,\"><h1>{WebUtility.HtmlEncode(title)}</h1><p>{WebUtility.HtmlEncode(text)}</p></html>");
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null) await _app.DisposeAsync();
    }
}
