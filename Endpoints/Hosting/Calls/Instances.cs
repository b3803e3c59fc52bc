namespace Signup.Hosting.Calls;

/// <summary>
/// Leads what one process asks of another to the instances of it, in turn. Where one gives no answer, or says that it cannot (a status of 500 or more), a second one is asked, so whatever is asked by it may be asked
/// twice; and that one is left alone for a while, as long as another is there.
/// </summary>
public sealed class Instances : DelegatingHandler
{
    /// <summary>So long.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly IReadOnlyList<Uri> _addresses;
    private readonly TimeSpan _patience;
    private readonly TimeProvider _time;

    /// <summary>For each, when it did not answer, as a timestamp; 0 while it does.</summary>
    private readonly long[] _silentSince;

    private int _turn;

    /// <param name="addresses">As <see cref="Settings.Urls"/> has them.</param>
    /// <param name="timeout">For all of it, so that each of two has half.</param>
    public Instances(IReadOnlyList<Uri> addresses, TimeSpan timeout, TimeProvider? time = null)
    {
        (_addresses, _silentSince, _time) = (addresses, new long[addresses.Count], time ?? TimeProvider.System);
        _patience = timeout / Math.Min(2, addresses.Count);
        // Those who start at once shall not all begin with the same one.
        _turn = Random.Shared.Next(addresses.Count);
        // A name may lead to other machines later.
        InnerHandler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(1) };
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.PathAndQuery;
        var turn = (uint)Interlocked.Increment(ref _turn);
        var order = Enumerable.Range(0, _addresses.Count).Select(n => (int)((turn + n) % _addresses.Count)).OrderBy(IsLeftAlone).ToArray();
        try
        {
            var answer = await AskAsync(request, order[0], path, cancellationToken);
            if (order.Length == 1 || (int)answer.StatusCode < 500) return answer;
            answer.Dispose();
        }
        catch (HttpRequestException) when (order.Length > 1)
        {
        }
        return await AskAsync(request, order[1], path, cancellationToken);
    }

    /// <exception cref="HttpRequestException">It gave no answer.</exception>
    private async Task<HttpResponseMessage> AskAsync(HttpRequestMessage request, int instance, string path, CancellationToken cancellation)
    {
        request.RequestUri = new Uri(_addresses[instance], path);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(_patience);
        try
        {
            var answer = await base.SendAsync(request, patience.Token);
            Note(instance, answers: (int)answer.StatusCode < 500);
            return answer;
        }
        catch (HttpRequestException)
        {
            Note(instance, answers: false);
            throw;
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            Note(instance, answers: false);
            throw new HttpRequestException($"{_addresses[instance]} did not answer within {_patience.TotalSeconds:0.0} s.", e);
        }
    }

    private bool IsLeftAlone(int instance) => _silentSince[instance] is not 0 and var since && _time.GetElapsedTime(since) < Pause;

    private void Note(int instance, bool answers) => _silentSince[instance] = answers ? 0 : _time.GetTimestamp();
}
