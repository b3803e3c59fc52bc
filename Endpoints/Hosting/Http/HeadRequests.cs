using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Signup.Hosting.Http;

/// <summary><c>HEAD</c> wherever there is <c>GET</c> (RFC 9110, 9.3.2): the same without its body, which the server leaves out by itself.</summary>
public static class HeadRequests
{
    private static readonly object Asked = new();

    /// <summary>Routes, and goes before all that is to happen between routing and the endpoint.</summary>
    public static void UseHeadRouting(this IApplicationBuilder app)
    {
        app.Use((http, next) =>
        {
            if (HttpMethods.IsHead(http.Request.Method))
            {
                http.Items[Asked] = Asked;
                http.Request.Method = HttpMethods.Get;
            }
            return next();
        });
        app.UseRouting();
        app.Use((http, next) =>
        {
            if (http.Items.ContainsKey(Asked)) http.Request.Method = HttpMethods.Head;
            return next();
        });
    }
}
