using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Signup.Gateway.Accounts;
using Signup.Gateway.Api;

namespace Signup.Gateway.OwnAccount;

/// <summary>What there is about whoever is signed in, as a file: the account's document and its events. All else that the system keeps of an account is made from these. Not the password's hash.</summary>
public static class ExportRoutes
{
    public const string Path = $"{OwnAccountRoutes.Path}/export";

    private const string FileName = "account.json";

    /// <summary>As people read it.</summary>
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void MapExport(this IEndpointRouteBuilder app) => app.MapGet(Path, (HttpContext http, OwnAccountDesk desk, QueryClient query) => desk.ShowAsync(http, async signedIn =>
    {
        var export = await query.ExportAsync(signedIn.Account.Id, http.RequestAborted);
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{FileName}\"";
        return Results.Json(export, Json);
    })).ForPrograms(Describing.OwnAccount, "Export the account", "All that there is about whoever is signed in: the account's document and its events, as a file. Not the password's hash.")
        .ForWhoIsSignedIn().Answers<JsonObject>(200, "`account` and `events`.").MayBeUnavailable("Not known right now.");
}
