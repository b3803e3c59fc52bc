using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Signup.EventLog.Accounts;
using Signup.Gateway.Pages;
using Signup.Gateway.Passwords;
using Signup.Gateway.SigningUp;
using Signup.Hosting.Http;

namespace Signup.Gateway.Api;

/// <summary>What programs may ask of the gateway: as an OpenAPI document at <c>/openapi.json</c>, and as a page at <c>/api</c>, where it can be tried.</summary>
public static class ApiDocument
{
    private const string Path = "/openapi.json", PagePath = "/api";

    private const string About = """
        People sign up, sign in and keep their accounts. The same is there as pages, at `/`.

        **Answers** are facts: `200`, `201` and `204` say that it is so, `409` that it cannot be. `202` says that it is not decided yet and will be: what was asked for is safe. `503` says that nothing was kept.

        **Errors** are problem+json (RFC 9457). `type` is for programs; `title` and `detail` are for people, in English or German (`Accept-Language`), and say what to do.

        **Browsers** are known by cookies, too, which come with the tokens.

        **Other applications** let people in by OpenID Connect, where any is named: `/.well-known/openid-configuration`.
        """;

    /// <summary>What may be sent, in whichever body.</summary>
    private static readonly Dictionary<string, OpenApiSchema> Fields = new()
    {
        [Field.Username] = new() { Type = JsonSchemaType.String, MaxLength = Limits.Username, Description = "What the account is called. One line.", Examples = ["Ada"] },
        [Field.Email] = new() { Type = JsonSchemaType.String, Format = "email", MaxLength = Limits.Email, Description = "Case makes no difference.", Examples = ["ada@example.org"] },
        [Field.Password] = new() { Type = JsonSchemaType.String, Format = "password", Description = $"{Password.MinLength} to {Password.MaxLength} characters, and none that everybody tries.", Examples = ["correct horse battery"] },
        [Field.CurrentPassword] = new() { Type = JsonSchemaType.String, Format = "password", Description = "The present password.", Examples = ["correct horse battery"] },
        [Field.NewPassword] = new() { Type = JsonSchemaType.String, Format = "password", Description = $"{Password.MinLength} to {Password.MaxLength} characters, and none that everybody tries.", Examples = ["another horse battery"] },
        [Describing.Token] = new() { Type = JsonSchemaType.String, Description = "From the link in the mail: what is behind `token=`." },
    };

    private static readonly Dictionary<string, OpenApiSecurityScheme> Proofs = new()
    {
        [Describing.StatusToken] = new() { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "The `statusToken` of a sign-up. Browsers have it as a cookie." },
        [Describing.Session] = new() { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "The `token` of a sign-in. Browsers have it as a cookie." },
        [Describing.EventsKey] = new() { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = ApiKey.Header, Description = "The setting `Mail__EventsKey`; also as the password of Basic authentication." },
    };

    public static void AddApiDocument(this IServiceCollection services) => services.AddOpenApi(options =>
    {
        options.ShouldInclude = route => route.ActionDescriptor.EndpointMetadata.OfType<Describing.IsForPrograms>().Any();
        options.AddDocumentTransformer((document, _, _) => Complete(document));
        options.AddOperationTransformer((operation, context, _) => Complete(operation, context));
    });

    public static void MapApiDocument(this WebApplication app)
    {
        // Made once: it takes some 20 ms of CPU, and anybody may ask.
        string? document = null;
        app.MapGet(Path, async ([FromKeyedServices("v1")] IOpenApiDocumentProvider api, CancellationToken cancellation) =>
            Results.Text(document ??= await (await api.GetOpenApiDocumentAsync(cancellation)).SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1, cancellation), "application/json"));
        var page = ReadPage();
        app.UseWhen(http => http.Request.Path.StartsWithSegments(PagePath), branch =>
        {
            branch.Use((http, next) =>
            {
                SecurityHeaders.LetPageAsk(http);
                return next(http);
            });
            branch.UseSwaggerUI(ui =>
            {
                ui.RoutePrefix = PagePath[1..];
                ui.IndexStream = () => new MemoryStream(page);
            });
        });
    }

    private static Task Complete(OpenApiDocument document)
    {
        document.Info = new() { Title = "Signup", Version = Assembly.GetExecutingAssembly().GetName().Version!.ToString(3), Description = About };
        // Relative to where the document is, whatever proxies are in front.
        document.Servers = [];
        document.Tags = new HashSet<OpenApiTag>(Describing.Groups.Select(name => new OpenApiTag { Name = name }));
        document.Components ??= new();
        document.Components.SecuritySchemes = Proofs.ToDictionary(p => p.Key, IOpenApiSecurityScheme (p) => p.Value);
        return Task.CompletedTask;
    }

    private static Task Complete(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        operation.OperationId = operation.Summary!.Split(' ', '-').Aggregate((name, word) => name + char.ToUpperInvariant(word[0]) + word[1..]);
        var said = context.Description.ActionDescriptor.EndpointMetadata;
        foreach (var parameter in operation.Parameters ?? []) parameter.Description ??= "The `id` that the sign-up was answered with.";
        foreach (var parameter in said.OfType<Describing.TakesParameter>())
            (operation.Parameters ??= []).Add(new OpenApiParameter { Name = parameter.Name, In = parameter.In, Description = parameter.Description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } });
        foreach (var body in said.OfType<Describing.TakesFields>())
            operation.RequestBody = Json(null, new OpenApiSchema { Type = JsonSchemaType.Object, Required = body.Names.ToHashSet(), Properties = body.Names.ToDictionary(name => name, IOpenApiSchema (name) => Fields[name]) });
        foreach (var body in said.OfType<Describing.TakesJson>())
            operation.RequestBody = Json(body.Description, new OpenApiSchema());
        foreach (var proof in said.OfType<Describing.IsFor>())
            operation.Security = [new() { [new(proof.Proof, context.Document)] = [] }];
        var answers = said.OfType<IProducesResponseTypeMetadata>().ToDictionary(a => $"{a.StatusCode}", a => a.Description);
        var made = operation.Responses!;
        operation.Responses = [];
        foreach (var (status, response) in made.OrderBy(r => r.Key, StringComparer.Ordinal))
        {
            operation.Responses.Add(status, response);
            response.Description = answers[status];
            if (status is "429" or "503" && response is OpenApiResponse answer)
                answer.Headers = new Dictionary<string, IOpenApiHeader> { ["Retry-After"] = new OpenApiHeader { Description = "Seconds to wait before the next try.", Schema = new OpenApiSchema { Type = JsonSchemaType.Integer } } };
        }
        return Task.CompletedTask;
    }

    private static OpenApiRequestBody Json(string? description, OpenApiSchema schema) =>
        new() { Required = true, Description = description, Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new() { Schema = schema } } };

    /// <summary>The page, with the addresses of what it loads.</summary>
    private static byte[] ReadPage()
    {
        using var stream = typeof(ApiDocument).Assembly.GetManifestResourceStream("api.html")!;
        using var reader = new StreamReader(stream);
        var html = new StringBuilder(reader.ReadToEnd());
        foreach (var name in (string[])["icon.svg", "api.css", "api.js"]) html.Replace($"{{{name}}}", Layout.Files.Path(name));
        return Encoding.UTF8.GetBytes($"{html}");
    }
}
