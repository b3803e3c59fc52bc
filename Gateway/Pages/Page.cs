using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;

namespace Signup.Gateway.Pages;

/// <summary>Renders a component to HTML. The components are functions of their parameters: they load nothing and ask nobody.</summary>
public sealed class PageRenderer(IServiceProvider services, ILoggerFactory loggers)
{
    public async Task<string> RenderAsync<T>(Texts texts, IReadOnlyDictionary<string, object?> parameters) where T : IComponent
    {
        await using var renderer = new HtmlRenderer(services, loggers);
        var all = new Dictionary<string, object?>(parameters) { [nameof(Texts)] = texts };
        return "<!DOCTYPE html>\n" + await renderer.Dispatcher.InvokeAsync(async () =>
            (await renderer.RenderComponentAsync<T>(ParameterView.FromDictionary(all))).ToHtmlString());
    }
}

/// <summary>A page as the answer to a request.</summary>
public sealed class Page<T>(int status, Texts texts, Dictionary<string, object?>? parameters = null) : IResult where T : IComponent
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var html = await httpContext.RequestServices.GetRequiredService<PageRenderer>().RenderAsync<T>(texts, parameters ?? []);
        var response = httpContext.Response;
        response.StatusCode = status;
        response.Headers.ContentLanguage = texts.Language;
        response.Headers.Vary = "Accept-Language, Accept";
        await Results.Content(html, "text/html; charset=utf-8", statusCode: status).ExecuteAsync(httpContext);
    }
}
