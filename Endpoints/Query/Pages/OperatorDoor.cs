using Signup.Hosting;

namespace Signup.Query.Pages;

/// <summary>Lets operators' browsers in.</summary>
public static class OperatorDoor
{
    public static void MapOperatorDoor(this IEndpointRouteBuilder app)
    {
        // A key that is none is said at the start, not to the first operator.
        _ = app.ServiceProvider.GetRequiredService<Operators>();
        app.MapGet("/login", (string? to) => Login(to, 200, null));
        // No antiforgery token: whoever knows a key may as well come in, and a page that is let in changes nothing.
        app.MapPost("/login", async (HttpContext http, Operators operators) =>
        {
            var form = await FormAsync(http.Request);
            string? key = form["key"], to = form["to"];
            return operators.SignIn(http, key) is { } refused ? Login(to, refused.Status, refused.Trouble) : See(http, Local(to));
        });
        app.MapPost("/logout", (HttpContext http, Operators operators) =>
        {
            operators.SignOut(http);
            return See(http, "/login");
        });
    }

    /// <summary>For operators who have signed in, and for who sends the API's key; others are shown the door.</summary>
    public static TBuilder RequireOperator<TBuilder>(this TBuilder endpoints) where TBuilder : IEndpointConventionBuilder =>
        endpoints.AddEndpointFilter(async (context, next) =>
        {
            var http = context.HttpContext;
            if (ApiKey.IsValid(http, "Query:ApiKey") || http.RequestServices.GetRequiredService<Operators>().Find(http.Request) is not null) return await next(context);
            return Results.Redirect($"/login?to={Uri.EscapeDataString(http.Request.Path + http.Request.QueryString)}");
        });

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

    private static Page<LoginPage> Login(string? to, int status, string? trouble) => new Page<LoginPage>(new() { [nameof(LoginPage.To)] = Local(to), [nameof(LoginPage.Trouble)] = trouble }, status);

    private static IResult See(HttpContext http, string to)
    {
        http.Response.Headers.Location = to;
        return Results.StatusCode(StatusCodes.Status303SeeOther);
    }

    /// <summary>An address here, never elsewhere.</summary>
    public static string Local(string? to) =>
        to is ['/', ..] && !to.StartsWith("//", StringComparison.Ordinal) && !to.StartsWith("/\\", StringComparison.Ordinal) && !to.Any(char.IsControl) ? to : "/";
}
