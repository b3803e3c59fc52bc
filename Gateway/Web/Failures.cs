using Signup.Gateway.Pages;
using Signup.Hosting.Http;

namespace Signup.Gateway.Web;

/// <summary>What is said where no route has said anything: unknown addresses, wrong methods, faults of ours. Never how the fault came about.</summary>
public static class Failures
{
    public static Task WriteAsync(HttpContext http, Exception? exception = null)
    {
        if (exception is BadHttpRequestException bad) http.Response.StatusCode = bad.StatusCode;
        var status = http.Response.StatusCode;
        var texts = Client.Texts(http.Request);
        return Answer(http, status, texts).ExecuteAsync(http);
    }

    /// <summary>A page for people, problem+json for programs.</summary>
    private static IResult Answer(HttpContext http, int status, Texts texts)
    {
        var (name, title, detail) = status switch
        {
            404 => ("not-found", texts.NotFoundTitle, texts.NotFound),
            405 => ("method-not-allowed", texts.MethodTitle, texts.Method),
            413 => ("too-large", texts.TooLargeTitle, texts.TooLarge),
            415 => ("unsupported-media-type", texts.MediaTypeTitle, texts.MediaType),
            < 500 => ("bad-request", texts.BadRequestTitle, texts.BadRequest),
            _ => ("fault", texts.FaultTitle, texts.Fault),
        };
        return Client.WantsPage(http.Request)
            ? new LocalizedPage<MessagePage>(status, texts, new() { [nameof(MessagePage.Title)] = title, [nameof(MessagePage.Text)] = detail })
            : Problems.Problem(status, name, title, detail);
    }
}
