using System.Net;
using System.Text.Json;
using Signup.Messages.Uniqueness;

namespace Signup.Gateway.Accounts;

/// <summary>Asks Uniqueness what became of a proposal whose answer came too late, or went to a gateway that is no more.</summary>
public sealed class VerdictClient(HttpClient http)
{
    /// <summary>Short: whoever waits for the page is told that it is not decided, and asks again in a moment.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    /// <returns>Null: it is not decided, as far as can be known now.</returns>
    public async Task<Verdict?> FindAsync(Guid streamId, Guid eventId, CancellationToken cancellation)
    {
        try
        {
            return await AskAsync(streamId, eventId, cancellation);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <returns>Null: it is not decided.</returns>
    /// <exception cref="HttpRequestException">Uniqueness did not answer.</exception>
    public async Task<Verdict?> AskAsync(Guid streamId, Guid eventId, CancellationToken cancellation)
    {
        try
        {
            using var response = await http.GetAsync($"/event/{streamId}/{eventId}", cancellation);
            if (response.StatusCode == HttpStatusCode.NotFound) return null;
            response.EnsureSuccessStatusCode();
            return await response.Content.ReadFromJsonAsync<Verdict>(cancellation);
        }
        catch (Exception e) when (e is JsonException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new HttpRequestException("Uniqueness did not answer.", e);
        }
    }
}
