using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Signup.Tests.Integration.Mail;

namespace Signup.Tests.Integration.SigningUp;

/// <summary>Every process of the system, as a user of its API sees it.</summary>
public sealed class WholeSystem : IAsyncLifetime
{
    private readonly SmtpServer _smtp = new();

    public SignupSystem System { get; private set; } = null!;
    public HttpClient Gateway { get; private set; } = null!;
    public HttpClient Query { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        System = await SignupSystem.StartAsync("whole", new Dictionary<string, string>(_smtp.Start().Settings)
        {
            // As strong as the production setting, this test would mostly hash.
            ["PasswordHashing__MemoryKiB"] = "8",
            ["PasswordHashing__Passes"] = "1",
            ["Signup__ReplyTimeout"] = "00:00:06",
        });
        (Gateway, Query) = (System.Client("Gateway"), System.Client("Query"));
    }

    public async ValueTask DisposeAsync()
    {
        Gateway.Dispose();
        Query.Dispose();
        await System.DisposeAsync();
        await _smtp.DisposeAsync();
    }

    public static string NewEmail() => $"Ada.{Guid.NewGuid():N}@Example.org";

    public async Task<(HttpStatusCode Status, JsonObject Body, HttpResponseHeaders Headers)> SignUpAsync(
        string email, string username = "Ada Lovelace", string password = "correct horse battery", string? key = null, HttpClient? gateway = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "users") { Content = JsonContent.Create(new { username, email, password }) };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        using var response = await (gateway ?? Gateway).SendAsync(request);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject(), response.Headers);
    }

    /// <summary>What the account's page says to whoever has the token in this answer.</summary>
    public async Task<string> PageAsync(JsonObject signedUp, string query = "")
    {
        using var request = Request(HttpMethod.Get, signedUp, query);
        request.Headers.Accept.ParseAdd("text/html");
        using var response = await Gateway.SendAsync(request);
        return await response.Content.ReadAsStringAsync();
    }

    /// <summary>The account's state, for the same.</summary>
    public async Task<(HttpStatusCode Status, JsonObject Body)> StatusAsync(JsonObject signedUp)
    {
        using var request = Request(HttpMethod.Get, signedUp, "");
        using var response = await Gateway.SendAsync(request);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject());
    }

    public async Task<HttpResponseMessage> PostAsync(JsonObject signedUp, string path, object body)
    {
        using var request = Request(HttpMethod.Post, signedUp, path);
        request.Content = JsonContent.Create(body);
        return await Gateway.SendAsync(request);
    }

    private static HttpRequestMessage Request(HttpMethod method, JsonObject signedUp, string path) =>
        new(method, $"users/{signedUp["id"]}{path}") { Headers = { Authorization = new("Bearer", (string?)signedUp["statusToken"]) } };

    /// <summary>How many commands are in a queue, taken by somebody or not.</summary>
    public async Task<long> CommandsAsync(string queue)
    {
        using var management = System.Parts.ManagementClient();
        var figures = JsonNode.Parse(await management.GetStringAsync($"api/queues/{System.Parts.VirtualHost}/{queue}"))!;
        return (long?)figures["messages"] ?? 0;
    }

    public async Task<HttpResponseMessage> ActivateAsync(string token) => await Gateway.PostAsJsonAsync("activations", new { token });

    /// <summary>The read model's document, once it is as <paramref name="expected"/>.</summary>
    public Task<JsonObject> DocumentAsync(string id, Func<JsonObject, bool> expected, string what) => Wait.ForAsync(async () =>
    {
        using var response = await Query.GetAsync($"accounts/{id}");
        if (!response.IsSuccessStatusCode) return null;
        var document = JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();
        return expected(document) ? document : null;
    }, what);

    /// <summary>The token in the link of the mail to this address, once it is there.</summary>
    public async Task<string> TokenFromMailAsync(string email) =>
        (await Wait.ForAsync(() => Task.FromResult(MailsTo(email) is [var first, ..] ? first : null), $"a mail to {email}")).Link.Split("token=")[1];

    /// <summary>Every mail that the provider was handed, the same one twice where it was handed over twice.</summary>
    public IReadOnlyList<ReceivedMail> MailsTo(string email) => [.. _smtp.Mails.Where(m => m.Recipient.Equals(email, StringComparison.OrdinalIgnoreCase))];
}
