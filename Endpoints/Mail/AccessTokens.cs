using System.Text.Json;
using System.Text.Json.Serialization;

namespace Signup.Mail;

/// <summary>Settings <c>Smtp:OAuth:…</c>: where to get access tokens for the mail provider (OAuth 2.0, RFC 6749). <c>Smtp:Username</c> is whose mailbox they are for.</summary>
public sealed record OAuthSettings
{
    /// <summary>The token endpoint. Empty: authentication is by password.</summary>
    public string TokenUrl { get; init; } = "";

    public string ClientId { get; init; } = "";

    public string ClientSecret { get; init; } = "";

    /// <summary>What the mailbox's owner has consented to. Empty: the client asks in its own name (client credentials).</summary>
    public string RefreshToken { get; init; } = "";

    /// <summary>Empty: none is asked for, and the server grants what it is set up to.</summary>
    public string Scope { get; init; } = "";
}

/// <summary>No access token was to be had.</summary>
public sealed class AccessTokenException(string reason, Exception? inner = null) : Exception($"No access token for the mail provider: {reason}.", inner)
{
    /// <summary>Class of the reason.</summary>
    public string Reason => reason;
}

/// <summary>The access token for the mail provider, shared by all connections, renewed before it ends.</summary>
public sealed class AccessTokens(OAuthSettings settings, TimeProvider time) : IDisposable
{
    /// <summary>So long before its end, or a tenth of its life, a token is not used any more.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);

    /// <summary>RFC 6749, 5.2. Anything else it says is not repeated.</summary>
    private static readonly string[] Errors = ["invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope"];

    private readonly HttpClient _http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) });
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>Where servers give a new one with each use, that is the one from then on, in this process.</summary>
    private string _refreshToken = settings.RefreshToken;

    private volatile Token? _known;

    /// <exception cref="AccessTokenException">None is to be had, for now.</exception>
    public async Task<string> GetAsync(CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            var token = _known is { } known && time.GetUtcNow() < known.Until ? known : await AskAsync(cancellation);
            _known = token;
            return token.Value;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>The provider would not have it: next time there is another one.</summary>
    public void Rejected(string token)
    {
        if (_known?.Value == token) _known = null;
    }

    public void Dispose()
    {
        _http.Dispose();
        _one.Dispose();
    }

    private async Task<Token> AskAsync(CancellationToken cancellation)
    {
        var form = new Dictionary<string, string>
        {
            ["grant_type"] = _refreshToken.Length > 0 ? "refresh_token" : "client_credentials",
            ["client_id"] = settings.ClientId,
            ["client_secret"] = settings.ClientSecret,
            ["refresh_token"] = _refreshToken,
            ["scope"] = settings.Scope,
        };
        try
        {
            using var content = new FormUrlEncodedContent(form.Where(f => f.Value.Length > 0));
            using var response = await _http.PostAsync(new Uri(settings.TokenUrl), content, cancellation);
            var answer = await response.Content.ReadFromJsonAsync<Answer>(cancellation);
            if (!response.IsSuccessStatusCode) throw new AccessTokenException(Errors.Contains(answer?.Error) ? $"token-{answer!.Error}" : "token-refused");
            if (answer is not { AccessToken: { Length: > 0 } token }) throw new AccessTokenException("token-missing");

            if (answer.RefreshToken is { Length: > 0 } next) _refreshToken = next;
            // Without an end it is used until it is rejected.
            var life = TimeSpan.FromSeconds(answer.ExpiresIn ?? 24 * 3600);
            return new(token, time.GetUtcNow() + life - (life / 10 < Margin ? life / 10 : Margin));
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new AccessTokenException("token-unreachable", e);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new AccessTokenException("token-unreadable", e);
        }
    }

    private sealed record Token(string Value, DateTimeOffset Until);

    /// <summary>RFC 6749, 5.1 and 5.2.</summary>
    [JsonNumberHandling(JsonNumberHandling.AllowReadingFromString)]
    private sealed record Answer(
        [property: JsonPropertyName("access_token")] string? AccessToken,
        [property: JsonPropertyName("refresh_token")] string? RefreshToken,
        [property: JsonPropertyName("expires_in")] int? ExpiresIn,
        [property: JsonPropertyName("error")] string? Error);
}
