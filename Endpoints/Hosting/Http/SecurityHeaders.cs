using Microsoft.AspNetCore.Http;

namespace Signup.Hosting.Http;

/// <summary>What browsers are told on every answer. Nothing runs or loads here that does not come from here.</summary>
public sealed class SecurityHeaders(RequestDelegate next)
{
    public const string ContentSecurityPolicy =
        $"default-src 'none'; style-src 'self'; script-src 'self'; {Images}; {FormAction}; base-uri 'none'; frame-ancestors 'none'";

    private const string FormAction = "form-action 'self'", Images = "img-src 'self'", Asking = "connect-src 'self'";

    /// <summary>A form of this answer's may end at one of these: browsers hold the redirections that follow one against the policy of its page.</summary>
    public static void LetFormsLeadTo(HttpContext http, IEnumerable<string> sources) => http.Items[FormAction] = string.Join(' ', sources);

    /// <summary>This answer is a page that asks things here by itself, and has its pictures within.</summary>
    public static void LetPageAsk(HttpContext http) => http.Items[Asking] = Asking;

    public Task InvokeAsync(HttpContext http)
    {
        http.Response.OnStarting(() =>
        {
            var headers = http.Response.Headers;
            var policy = http.Items[FormAction] is string targets ? ContentSecurityPolicy.Replace(FormAction, $"{FormAction} {targets}", StringComparison.Ordinal) : ContentSecurityPolicy;
            headers.ContentSecurityPolicy = http.Items.ContainsKey(Asking) ? policy.Replace(Images, $"{Images} data:; {Asking}", StringComparison.Ordinal) : policy;
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            // Addresses here hold tokens and ids.
            headers["Referrer-Policy"] = "no-referrer";
            headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            // What is not said to be public is private.
            if (headers.CacheControl.Count == 0) headers.CacheControl = "no-store";
            return Task.CompletedTask;
        });
        return next(http);
    }
}
