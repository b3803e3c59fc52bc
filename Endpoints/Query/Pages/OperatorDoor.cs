using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Mvc;
using Signup.Hosting;

namespace Signup.Query.Pages;

/// <summary>Lets an operator's browser in: the API's key, typed once, becomes a cookie that lasts a working day.</summary>
public static class OperatorDoor
{
    private const string Setting = "Query:ApiKey";
    private const string Cookie = "signup-operator";
    private static readonly TimeSpan Day = TimeSpan.FromHours(8);

    public static void MapOperatorDoor(this IEndpointRouteBuilder app)
    {
        app.MapGet("/login", (string? to) => new Page<LoginPage>(new() { [nameof(LoginPage.To)] = Local(to) }));
        // No antiforgery token: whoever knows the key may as well come in, and a page that is let in changes nothing.
        app.MapPost("/login", (HttpContext http, TimeProvider time, [FromForm] string? key, [FromForm] string? to) =>
        {
            http.Request.Headers[ApiKey.Header] = key ?? "";
            if (!ApiKey.IsValid(http, Setting)) return (IResult)new Page<LoginPage>(new() { [nameof(LoginPage.To)] = Local(to), [nameof(LoginPage.Refused)] = true }, StatusCodes.Status401Unauthorized);
            var expires = time.GetUtcNow() + Day;
            http.Response.Cookies.Append(Cookie, Ticket(http, expires.ToUnixTimeSeconds()),
                new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = http.Request.IsHttps, Expires = expires, Path = "/" });
            http.Response.StatusCode = StatusCodes.Status303SeeOther;
            http.Response.Headers.Location = Local(to);
            return Results.Empty;
        }).DisableAntiforgery();
        app.MapPost("/logout", (HttpContext http) =>
        {
            http.Response.Cookies.Delete(Cookie);
            http.Response.StatusCode = StatusCodes.Status303SeeOther;
            http.Response.Headers.Location = "/login";
        });
    }

    /// <summary>For who has the cookie, or sends the key; others are shown the door.</summary>
    public static TBuilder RequireOperator<TBuilder>(this TBuilder endpoints) where TBuilder : IEndpointConventionBuilder =>
        endpoints.AddEndpointFilter(async (context, next) =>
        {
            var http = context.HttpContext;
            if (ApiKey.IsValid(http, Setting) || HasTicket(http)) return await next(context);
            return Results.Redirect($"/login?to={Uri.EscapeDataString(http.Request.Path + http.Request.QueryString)}");
        });

    private static bool HasTicket(HttpContext http)
    {
        var ticket = http.Request.Cookies[Cookie];
        var end = ticket?.IndexOf('.', StringComparison.Ordinal) ?? -1;
        return end > 0 && long.TryParse(ticket.AsSpan(0, end), NumberStyles.None, CultureInfo.InvariantCulture, out var expires)
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(ticket!), Encoding.UTF8.GetBytes(Ticket(http, expires)))
            && expires > http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow().ToUnixTimeSeconds();
    }

    /// <summary>The end of its time, sealed with the key: it is good for nothing once the key has changed.</summary>
    private static string Ticket(HttpContext http, long expires)
    {
        var key = http.RequestServices.GetRequiredService<IConfiguration>()[Setting] ?? "";
        var seal = HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes($"{Cookie}.{expires}"));
        return string.Create(CultureInfo.InvariantCulture, $"{expires}.{Convert.ToHexStringLower(seal)}");
    }

    /// <summary>An address here, never elsewhere.</summary>
    public static string Local(string? to) =>
        to is ['/', ..] && !to.StartsWith("//", StringComparison.Ordinal) && !to.StartsWith("/\\", StringComparison.Ordinal) && !to.Any(char.IsControl) ? to : "/";
}
