using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Signup.Hosting.Http;

namespace Signup.Hosting.Calls;

/// <summary>How one process asks another.</summary>
public static class InternalHttp
{
    /// <summary>For the process whose address is the setting <c>{name}:Url</c>, or the <see cref="Instances"/> of it, with the key <c>{name}:ApiKey</c>. What it asks changes nothing.</summary>
    public static void AddInternalClient<TClient>(this IServiceCollection services, IConfiguration settings, string name, TimeSpan timeout) where TClient : class
    {
        // Read when somebody asks: a client that is made anew for each request does not read them again, and who never asks need not be told.
        var addresses = new Lazy<IReadOnlyList<Uri>>(() => Settings.Urls(settings, $"{name}:Url"));
        services.AddHttpClient<TClient>(http =>
            {
                http.BaseAddress = addresses.Value[0];
                http.Timeout = timeout;
                http.DefaultRequestHeaders.Add(ApiKey.Header, settings[$"{name}:ApiKey"]);
            })
            .ConfigurePrimaryHttpMessageHandler(() => new Instances(addresses.Value, timeout))
            // It renews its connections itself, and is to remember who does not answer.
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan);
    }

    /// <exception cref="HttpRequestException">No usable answer.</exception>
    public static async Task<T> AskAsync<T>(this HttpClient http, HttpMethod method, string path, HttpContent? content, CancellationToken cancellation) where T : class
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        try
        {
            using var response = await http.SendAsync(request, cancellation);
            response.EnsureSuccessStatusCode();
            return await response.Content.ReadFromJsonAsync<T>(cancellation) ?? throw new JsonException("The answer is null.");
        }
        catch (Exception e) when (e is JsonException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new HttpRequestException($"{request.RequestUri?.GetLeftPart(UriPartial.Authority)} gave no usable answer.", e);
        }
    }
}
