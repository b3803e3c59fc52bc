using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Signup.Hosting.Http;

namespace Signup.Hosting.Operations;

/// <summary>What the page shows to whoever has not signed in.</summary>
/// <param name="Action">Where the form is sent to.</param>
/// <param name="To">Where it leads on to.</param>
/// <param name="Trouble">What went wrong before, or null.</param>
public sealed record SignInForm(string Action, string To, int Status, string? Trouble);

/// <summary>Lets operators' browsers in. Whoever has not signed in gets the form wherever they go, and is led on to there.</summary>
/// <param name="path">What all that is behind it begins with; empty for a whole host.</param>
/// <param name="page">The form, as the host shows it.</param>
/// <param name="apiKey">The setting of a key that opens it, too; null for none.</param>
public sealed class OperatorDoor(string path, Func<SignInForm, IResult> page, string? apiKey = null)
{
    /// <summary>The fields of the form.</summary>
    public const string Key = "key", To = "to";

    /// <summary>Bytes.</summary>
    private const long LargestForm = 16 * 1024;

    /// <summary>Where a browser signs out, by a form.</summary>
    private string SignOutPath => path + "/sign-out";

    private string SignInPath => path + "/sign-in";

    private string Start => path.Length > 0 ? path : "/";

    /// <summary>Those who have signed in are let in to what is mapped to this; who they are is <see cref="NameOf"/>.</summary>
    public IEndpointRouteBuilder Map(IEndpointRouteBuilder app)
    {
        // A key that is none is said at the start, not to the first operator.
        _ = app.ServiceProvider.GetRequiredService<Operators>();
        // No antiforgery token: whoever knows a key may as well come in.
        app.MapPost(SignInPath, async (HttpContext http, Operators operators) =>
        {
            var form = await FormAsync(http.Request);
            var to = Local(form[To]);
            return operators.SignIn(http, form[Key]) is { } refused ? Form(to, refused.Status, refused.Trouble) : See(http, to);
        }).WithMetadata(new RequestSizeLimitAttribute(LargestForm));
        // Where the browser is after a wrong key.
        app.MapGet(SignInPath, () => Results.Redirect(Start));
        app.MapPost(SignOutPath, (HttpContext http, Operators operators) =>
        {
            if (!http.Request.IsFromAnotherSite()) operators.SignOut(http);
            return See(http, Start);
        });
        return app.MapGroup("").AddEndpointFilter(async (context, next) =>
        {
            var http = context.HttpContext;
            if (http.RequestServices.GetRequiredService<Operators>().Find(http.Request) is { } name) http.Items[this] = name;
            else if (apiKey is null || !ApiKey.IsValid(http, apiKey)) return Form(HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method) ? http.Request.Path + http.Request.QueryString : Start, StatusCodes.Status401Unauthorized, null);
            return await next(context);
        });
    }

    /// <summary>The operator who was let in.</summary>
    public string NameOf(HttpContext http) => (string)http.Items[this]!;

    /// <summary>An address here, never elsewhere.</summary>
    internal string Local(string? to) =>
        to is ['/', ..] && !to.StartsWith("//", StringComparison.Ordinal) && !to.StartsWith("/\\", StringComparison.Ordinal) && !to.Any(char.IsControl) ? to : Start;

    private IResult Form(string to, int status, string? trouble) => page(new SignInForm(SignInPath, to, status, trouble));

    private static IResult See(HttpContext http, string to)
    {
        http.Response.Headers.Location = to;
        return Results.StatusCode(StatusCodes.Status303SeeOther);
    }

    /// <summary>What is no form, such as one in parts without a boundary, has no fields, and so no key.</summary>
    private static async Task<IFormCollection> FormAsync(HttpRequest request)
    {
        try
        {
            return request.HasFormContentType ? await request.ReadFormAsync(request.HttpContext.RequestAborted) : FormCollection.Empty;
        }
        catch (Exception e) when (e is InvalidDataException or BadHttpRequestException)
        {
            return FormCollection.Empty;
        }
    }
}
