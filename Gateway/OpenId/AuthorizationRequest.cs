using Microsoft.AspNetCore.WebUtilities;
using OpenIddict.Abstractions;
using Signup.Gateway.SigningIn;

namespace Signup.Gateway.OpenId;

/// <summary>
/// An application's request that waits for somebody to sign in: in the address of the page for that, and in its form. It is a query alone, always for <see cref="AuthorizeRoutes"/>:
/// no link leads anywhere else from there.
/// </summary>
/// <param name="Client">Whose it says that it is. Whether all of it is right is checked where it arrives.</param>
public sealed record AuthorizationRequest(OpenIdClient Client, string Query)
{
    /// <summary>Of the address, and of the form.</summary>
    public const string Field = "authorize";

    /// <summary>What is done by signing in now, and not wanted again afterwards.</summary>
    private static readonly string[] Done = [OpenIddictConstants.Parameters.Prompt, OpenIddictConstants.Parameters.MaxAge];

    public string AuthorizePath => AuthorizeRoutes.Path + Query;

    public string SignInPath => SignInRoutes.Path + QueryString.Create(Field, Query.TrimStart('?'));

    /// <returns>Null where it is no application's.</returns>
    public static AuthorizationRequest? Read(string? query, OpenIdClients clients)
    {
        if (string.IsNullOrEmpty(query)) return null;
        // Made anew: whatever was typed, it is a query.
        var parameters = QueryHelpers.ParseQuery(query);
        return clients.Find(parameters.GetValueOrDefault(OpenIddictConstants.Parameters.ClientId)) is { } client ? new(client, QueryString.Create(parameters).ToString()) : null;
    }

    /// <summary>The same once more, after signing in.</summary>
    public static AuthorizationRequest AfterSignIn(OpenIdClient client, OpenIddictRequest request) => new(client, QueryOf(request, Done));

    /// <summary>The same, as a query.</summary>
    public static string QueryOf(OpenIddictRequest request, params IEnumerable<string> without) =>
        QueryString.Create(request.GetParameters().ExceptBy(without, p => p.Key).Select(p => KeyValuePair.Create(p.Key, (string?)p.Value))).ToString();
}
