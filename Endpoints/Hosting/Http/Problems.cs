using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Signup.Hosting.Http;

/// <summary>Errors for programs, as problem+json (RFC 9457). The names are part of the contract, the words are not.</summary>
public static class Problems
{
    /// <param name="name">What <c>type</c> is, behind <c>/problems/</c>.</param>
    /// <param name="detail">What is wrong, and what to do about it.</param>
    /// <param name="errors">By field.</param>
    /// <param name="retryAfter">When to try again, for the header Retry-After.</param>
    /// <param name="more">Further members.</param>
    public static IResult Problem(
        int status, string name, string title, string detail, IDictionary<string, string[]>? errors = null, TimeSpan? retryAfter = null, params (string Name, object? Value)[] more)
    {
        var extensions = more.Where(m => m.Value is not null).ToDictionary(m => m.Name, m => m.Value);
        if (errors is not null) extensions["errors"] = errors;
        return new WithRetryAfter(TypedResults.Problem(detail, statusCode: status, title: title, type: "/problems/" + name, extensions: extensions), retryAfter);
    }

    /// <summary>Whole seconds, at least one.</summary>
    public static void SetRetryAfter(HttpResponse response, TimeSpan after) =>
        response.Headers.RetryAfter = Seconds(after).ToString(CultureInfo.InvariantCulture);

    public static long Seconds(TimeSpan after) => Math.Max(1, (long)Math.Ceiling(after.TotalSeconds));

    private sealed class WithRetryAfter(IResult result, TimeSpan? after) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            if (after is { } time) SetRetryAfter(httpContext.Response, time);
            return result.ExecuteAsync(httpContext);
        }
    }
}
