using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Signup.Hosting.Http;

/// <summary>A page as the answer to a request: a component rendered to HTML, as a function of its parameters. It loads nothing and asks nobody.</summary>
public sealed class Page<T>(int status, IDictionary<string, object?> parameters) : IResult where T : IComponent
{
    public async Task ExecuteAsync(HttpContext httpContext) =>
        await Results.Content(await Page.RenderAsync<T>(httpContext.RequestServices, parameters), "text/html; charset=utf-8", statusCode: status).ExecuteAsync(httpContext);
}

public static class Page
{
    public static async Task<string> RenderAsync<T>(IServiceProvider services, IDictionary<string, object?> parameters) where T : IComponent
    {
        await using var renderer = new HtmlRenderer(services, services.GetRequiredService<ILoggerFactory>());
        return "<!DOCTYPE html>\n" + await renderer.Dispatcher.InvokeAsync(async () => (await renderer.RenderComponentAsync<T>(ParameterView.FromDictionary(parameters))).ToHtmlString());
    }
}
