using Microsoft.AspNetCore.Diagnostics;
using Microsoft.Extensions.Primitives;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Server;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Signup.Gateway.OpenId;

/// <summary>
/// Applications let their users in with their accounts here: OpenID Connect's code flow with PKCE, by OpenIddict. It stores nothing, since the gateway owns nothing durable: who the
/// applications are is in a file, a code is sealed and says all there is to say, and that it has been used is in the log. Where no application is in a file, there is none of it.
/// </summary>
public static class OpenIdServices
{
    public const string Root = "/connect";

    /// <summary>An application comes with its code at once.</summary>
    private static readonly TimeSpan CodeLifetime = TimeSpan.FromMinutes(1);

    public static void AddOpenId(this IServiceCollection services, IConfiguration settings, DerivedKeys keys)
    {
        var clients = OpenIdClients.In(settings);
        services.AddSingleton(clients);
        if (clients == OpenIdClients.None) return;

        var issuer = IssuerOf(settings);
        services.AddOpenIddict().AddServer(server =>
        {
            server.EnableDegradedMode().SetIssuer(issuer).AllowAuthorizationCodeFlow().RequireProofKeyForCodeExchange();
            // As the world knows them; and as they come, through whichever proxy.
            server.SetConfigurationEndpointUris(Both(".well-known/openid-configuration")).SetJsonWebKeySetEndpointUris(Both(".well-known/jwks"))
                .SetAuthorizationEndpointUris(Both(AuthorizeRoutes.Path)).SetTokenEndpointUris(Both(TokenRoutes.Path)).SetUserInfoEndpointUris(Both(UserInfoRoutes.Path));
            server.RegisterScopes(Scopes.Profile, Scopes.Email).DisableScopeValidation()
                .RegisterClaims(Claims.AuthenticationTime, Claims.Name, Claims.PreferredUsername, Claims.Email, Claims.EmailVerified)
                .SetAuthorizationCodeLifetime(CodeLifetime);
            foreach (var key in keys.All)
            {
                server.AddEncryptionKey(new SymmetricSecurityKey(key.OpenIdEncryption()));
                var signing = new ECDsaSecurityKey(key.OpenIdSigning());
                signing.KeyId = Base64UrlEncoder.Encode(signing.ComputeJwkThumbprint());
                server.AddSigningKey(signing);
            }
            server.Configure(options =>
            {
                // Answers go by the address alone: a page that sends itself on as a form would need a script.
                options.ResponseModes.IntersectWith([ResponseModes.Query]);
                options.CodeChallengeMethods.IntersectWith([CodeChallengeMethods.Sha256]);
                options.ClientAuthenticationMethods.IntersectWith([ClientAuthenticationMethods.ClientSecretBasic, ClientAuthenticationMethods.ClientSecretPost]);
                options.ClientAuthenticationMethods.Add(ClientAuthenticationMethods.None);
            });
            server.AddEventHandler<ValidateAuthorizationRequestContext>(handler => handler.UseInlineHandler(context => Check(context, clients)));
            server.AddEventHandler<ValidateTokenRequestContext>(handler => handler.SetOrder(OpenIddictServerHandlers.Exchange.ValidateAuthentication.Descriptor.Order - 1).UseInlineHandler(context => Check(context, clients)));
            var host = server.UseAspNetCore().EnableAuthorizationEndpointPassthrough().EnableTokenEndpointPassthrough().EnableUserInfoEndpointPassthrough().EnableErrorPassthrough();
            if (issuer.Scheme == Uri.UriSchemeHttp) host.DisableTransportSecurityRequirement();
        });

        Uri[] Both(string path) => [new Uri(issuer, path.TrimStart('/')), new Uri(path.TrimStart('/'), UriKind.Relative)];
    }

    public static void UseOpenId(this WebApplication app)
    {
        if (app.Services.GetRequiredService<OpenIdClients>() == OpenIdClients.None) return;
        app.Use(async (http, next) =>
        {
            // Read as all forms here are: OpenIddict would have the framework do it, which takes some for a fault of ours.
            if (http.Request.Path.StartsWithSegments(Root) && Body.IsForm(http.Request))
            {
                var (form, fault) = await Body.ReadFormAsync(http.Request, http.RequestAborted);
                if (fault is not null)
                {
                    http.Response.StatusCode = SignUpRoutes.StatusOf(fault.Value);
                    await Failures.WriteAsync(http);
                    return;
                }
                http.Request.Form = new FormCollection(new Dictionary<string, StringValues>(form));
            }
            // What is wrong with a token is said in a header (RFC 6750, 3).
            if (http.Request.Path == UserInfoRoutes.Path && http.Features.Get<IStatusCodePagesFeature>() is { } pages) pages.Enabled = false;
            await next(http);
        });
        app.UseAuthentication();
        app.MapAuthorize();
        app.MapToken();
        app.MapUserInfo();
    }

    /// <exception cref="InvalidOperationException">It is none that may be one.</exception>
    private static Uri IssuerOf(IConfiguration settings)
    {
        const string setting = "Signup:PublicUrl";
        var url = settings[setting];
        if (Uri.TryCreate($"{url?.TrimEnd('/')}/", UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback)) && uri is { Query: "", Fragment: "" }) return uri;
        throw new InvalidOperationException($"With {OpenIdClients.Setting}, the setting {setting} must be the https address of the site, since it is who applications trust: '{url}'. On the machine itself it may be http.");
    }

    /// <summary>Before anything else is looked at, it shows which application it is.</summary>
    private static ValueTask Check(ValidateTokenRequestContext context, OpenIdClients clients)
    {
        if (clients.Find(context.ClientId)?.HasSecret(context.ClientSecret) is not true) context.Reject(Errors.InvalidClient, "No application has this client_id and this client_secret here.");
        return ValueTask.CompletedTask;
    }

    /// <summary>Nobody is sent anywhere by a request that is not an application's that we know, to where it is known to be.</summary>
    private static ValueTask Check(ValidateAuthorizationRequestContext context, OpenIdClients clients)
    {
        if (clients.Find(context.ClientId) is not { } client) context.Reject(Errors.InvalidRequest, "No application has this client_id here.");
        else if (!client.RedirectUris.Contains(context.RedirectUri, StringComparer.Ordinal)) context.Reject(Errors.InvalidRequest, $"The redirect_uri is none of those that '{client.Id}' has here.");
        return ValueTask.CompletedTask;
    }
}
