using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Signup.Hosting.Http;

/// <summary>Internal HTTP APIs are behind a key, sent as header <c>X-Api-Key</c>.</summary>
public static class ApiKey
{
    public const string Header = "X-Api-Key";

    /// <param name="setting">The setting that holds the key. Without a key nobody gets in.</param>
    public static TBuilder RequireApiKey<TBuilder>(this TBuilder endpoints, string setting) where TBuilder : IEndpointConventionBuilder =>
        endpoints.AddEndpointFilter(async (context, next) =>
            IsValid(context.HttpContext, setting) ? await next(context)
            : Problems.Problem(StatusCodes.Status401Unauthorized, "unauthorized", "Unauthorized", $"Send the key in the header {Header}."));

    /// <summary>Whether the request has the key. Takes the same time for every wrong key of a length.</summary>
    public static bool IsValid(HttpContext http, string setting)
    {
        var expected = http.RequestServices.GetRequiredService<IConfiguration>()[setting];
        return !string.IsNullOrEmpty(expected)
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(http.Request.Headers[Header].ToString()));
    }
}
