using Microsoft.AspNetCore.Components;
using Signup.Hosting.Http;

namespace Signup.Gateway.Pages;

/// <summary>A page in the reader's language.</summary>
public sealed class LocalizedPage<T>(int status, Texts texts, Dictionary<string, object?>? parameters = null) : IResult where T : IComponent
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.Headers.ContentLanguage = texts.Language;
        httpContext.Response.Headers.Vary = "Accept-Language, Accept";
        return new Page<T>(status, LocalizedPage.Parameters(texts, parameters ?? [])).ExecuteAsync(httpContext);
    }
}

public static class LocalizedPage
{
    /// <summary>What the component gets: beside its own parameters, the words.</summary>
    public static Dictionary<string, object?> Parameters(Texts texts, Dictionary<string, object?> parameters) => new(parameters) { [nameof(Texts)] = texts };
}
