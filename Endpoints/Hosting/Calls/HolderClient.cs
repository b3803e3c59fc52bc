namespace Signup.Hosting.Calls;

/// <summary>Asks Uniqueness whose an address is.</summary>
public sealed class HolderClient(HttpClient http)
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private sealed record Holder(Guid? StreamId);

    /// <returns>Null: nobody's.</returns>
    /// <exception cref="HttpRequestException">It is not known now.</exception>
    public async Task<Guid?> FindAsync(string email, CancellationToken cancellation) =>
        (await http.AskAsync<Holder>(HttpMethod.Get, $"/holders/email?value={Uri.EscapeDataString(email)}", null, cancellation)).StreamId;
}
