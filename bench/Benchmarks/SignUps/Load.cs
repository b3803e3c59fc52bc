using System.Diagnostics;
using System.Net;

namespace Signup.Bench.SignUps;

/// <summary>What clients saw.</summary>
/// <param name="Accepted">Sign-ups that were answered with success; only these count for the rate.</param>
/// <param name="Other">Answers of any other kind, by status.</param>
public sealed record Answers(int Accepted, IReadOnlyDictionary<int, int> Other, double Seconds, double P50Ms, double P99Ms)
{
    public double Rate => Accepted / Seconds;
}

/// <summary>So many clients, each of which signs somebody up as soon as the one before is answered.</summary>
public sealed class Load(Uri address, Func<string, string> body, HttpStatusCode success) : IDisposable
{
    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler { UseCookies = false, UseProxy = false, AllowAutoRedirect = false });

    /// <param name="count">So many sign-ups.</param>
    public async Task<Answers> RunAsync(int clients, int count)
    {
        var run = Guid.NewGuid().ToString("N")[..12];
        var taken = new long[count];
        var status = new int[count];
        var next = -1;
        var begun = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            for (int n; (n = Interlocked.Increment(ref next)) < count;)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new StringContent(body($"{run}-{n}"), null, "application/json") };
                var sent = Stopwatch.GetTimestamp();
                using var response = await _http.SendAsync(request, CancellationToken.None);
                await response.Content.CopyToAsync(Stream.Null);
                taken[n] = Stopwatch.GetTimestamp() - sent;
                status[n] = (int)response.StatusCode;
            }
        })));
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        var accepted = taken.Where((_, n) => status[n] == (int)success).Order().ToArray();
        return new Answers(accepted.Length, status.Where(s => s != 0 && s != (int)success).CountBy(s => s).ToDictionary(), seconds, At(0.50), At(0.99));

        double At(double part) => accepted.Length == 0 ? double.NaN : accepted[(int)(part * (accepted.Length - 1))] * 1000.0 / Stopwatch.Frequency;
    }

    public void Dispose() => _http.Dispose();
}
