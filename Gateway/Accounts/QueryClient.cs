using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Signup.EventLog.Accounts;

namespace Signup.Gateway.Accounts;

/// <summary>Query did not answer.</summary>
public sealed class QueryUnavailableException(Exception inner) : Exception("Query did not answer.", inner);

/// <summary>Reads accounts from Query's HTTP API, the only thing that the gateway reads.</summary>
public sealed class QueryClient(HttpClient http)
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <param name="signUpId">Of the sign-up that made it.</param>
    /// <returns>The account, or null where that sign-up has made none (yet).</returns>
    /// <exception cref="QueryUnavailableException">No usable answer.</exception>
    public Task<AccountView?> FindAsync(Guid accountId, Guid signUpId, CancellationToken cancellation) => FindAsync(accountId, $"/accounts/{accountId}?event={signUpId}", cancellation);

    /// <summary>Whichever sign-up has made it.</summary>
    /// <exception cref="QueryUnavailableException">No usable answer.</exception>
    public Task<AccountView?> FindAsync(Guid accountId, CancellationToken cancellation) => FindAsync(accountId, $"/accounts/{accountId}", cancellation);

    /// <summary>For whoever says that it is theirs.</summary>
    /// <returns>Null where there is no such account.</returns>
    /// <exception cref="QueryUnavailableException">No usable answer.</exception>
    public Task<OwnAccount?> FindOwnAsync(Guid accountId, CancellationToken cancellation) =>
        ReadAsync(accountId, $"/accounts/{accountId}", json => new OwnAccount(View(json), json["sessions"].Deserialize<SessionStatus>(JsonSerializerOptions.Web) ?? SessionStatus.New), cancellation);

    /// <summary>All that there is of an account that is there: its document, and its events in order, without the password's hash.</summary>
    /// <exception cref="QueryUnavailableException">No usable answer.</exception>
    public async Task<JsonObject> ExportAsync(Guid accountId, CancellationToken cancellation) => new()
    {
        ["account"] = await ReadAsync($"/accounts/{accountId}", json => json, cancellation),
        ["events"] = await ReadAsync($"/accounts/{accountId}/events", json => json, cancellation),
    };

    private Task<AccountView?> FindAsync(Guid accountId, string path, CancellationToken cancellation) => ReadAsync(accountId, path, View, cancellation);

    private static AccountView View(JsonNode json) => json.Deserialize<AccountView>(JsonSerializerOptions.Web)!;

    private Task<T?> ReadAsync<T>(Guid accountId, string path, Func<JsonNode, T> read, CancellationToken cancellation) where T : class =>
        ReadAsync(path, json => json is JsonObject && (string?)json["id"] == $"{accountId}" ? read(json) : throw new JsonException("This is no answer of Query's."), cancellation);

    private async Task<T?> ReadAsync<T>(string path, Func<JsonNode, T> read, CancellationToken cancellation) where T : class
    {
        try
        {
            using var response = await http.GetAsync(path, cancellation);
            if (response.StatusCode == HttpStatusCode.NotFound) return null;
            response.EnsureSuccessStatusCode();
            return await response.Content.ReadFromJsonAsync<JsonNode>(cancellation) is { } json ? read(json) : throw new JsonException("There is nothing in Query's answer.");
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or InvalidOperationException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new QueryUnavailableException(e);
        }
    }
}

/// <param name="Sessions">Which of them have ended before their time.</param>
public sealed record OwnAccount(AccountView Account, SessionStatus Sessions);

/// <summary>What whoever signed up gets to see of the account.</summary>
/// <param name="Status"><c>by-mail</c>, <c>deciding</c>, <c>refused</c>, <c>pending</c>, <c>active</c>, <c>expired</c> or <c>deleted</c>.</param>
/// <param name="Reason">Why it was refused: <c>email-taken</c> (or of another unique field), <c>idempotency-key-reused</c> or <c>invalid</c>.</param>
/// <param name="Correction">What has become of a correction of the address, for whoever asks for it and as long as it has not been made.</param>
public sealed record AccountView(Guid Id, string? Username, string? Email, string Status, MailView? Mail,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] CorrectionView? Correction = null)
{
    /// <summary>What becomes of it is told by mail, and nowhere else.</summary>
    public const string ByMail = "by-mail";

    public const string Deciding = "deciding", Refused = "refused", Pending = "pending", Active = "active", Expired = "expired", Deleted = "deleted";

    public const string KeyReused = "idempotency-key-reused", Invalid = "invalid";

    /// <summary>Mails do not reach the address, so that another one may be given.</summary>
    [JsonIgnore]
    public bool MailHasFailed => this is { Status: Pending, Mail.State: MailView.Failed or MailView.Bounced or MailView.Complained };
}

/// <summary>Which account it is about.</summary>
public sealed record AccountId(Guid Id);

/// <param name="Status"><c>deciding</c> or <c>refused</c>.</param>
/// <param name="Reason">Why it was refused, as that of the account.</param>
public sealed record CorrectionView(string Status, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason = null);

/// <param name="State"><c>queued</c>, <c>sent</c>, <c>failed</c>, <c>bounced</c> or <c>complained</c>.</param>
/// <param name="FailedAt">When it failed, came back, or was complained of.</param>
/// <param name="Reason">The class of the reason, where it failed or came back.</param>
/// <param name="DeliveredAt">When the recipient's server took it, where the mail provider says so.</param>
public sealed record MailView(string State, DateTimeOffset? SentAt, DateTimeOffset? FailedAt, string? Reason, DateTimeOffset? DeliveredAt)
{
    public const string Queued = "queued", Sent = "sent", Failed = "failed", Bounced = "bounced", Complained = "complained";
}
