using System.Net;
using System.Net.Sockets;
using System.Text;
using Signup.Hosting.Calls;

namespace Signup.Tests.Unit.Hosting;

public sealed class when_a_process_has_several_instances : IDisposable
{
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(10);

    private readonly Clock _clock = new();
    private readonly Instance[] _instances = [new(), new(), new()];

    [Fact]
    public async Task they_are_asked_in_turn()
    {
        using var client = Client(LongEnough);
        for (var n = 0; n < 6; n++) Assert.Equal("here", await client.GetStringAsync("/where?are=you"));

        Assert.All(_instances, i => Assert.Equal(2, i.Asked));
    }

    [Theory]
    [InlineData(Trouble.Closed)]
    [InlineData(Trouble.Silent)]
    [InlineData(Trouble.Unavailable)]
    public async Task another_one_is_asked_in_the_place_of_one_that_does_not_answer_which_is_left_alone_for_a_while(Trouble trouble)
    {
        using var client = Client(TimeSpan.FromSeconds(4));
        var away = _instances[1];
        away.Trouble = trouble;

        for (var n = 0; n < 9; n++) Assert.Equal("here", await client.GetStringAsync("/where?are=you"));
        Assert.Equal(trouble == Trouble.Closed ? 0 : 1, away.Asked);
        Assert.Equal(9, _instances.Sum(i => i == away ? 0 : i.Asked));

        away.Trouble = Trouble.None;
        _clock.Advance(TimeSpan.FromSeconds(10));
        var before = away.Asked;
        for (var n = 0; n < 6; n++) await client.GetStringAsync("/where?are=you");
        Assert.Equal(before + 2, away.Asked);
    }

    [Fact]
    public async Task two_are_asked_and_no_more()
    {
        using var client = Client(LongEnough);
        foreach (var instance in _instances) instance.Trouble = Trouble.Unavailable;

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/where?are=you")).StatusCode);

        Assert.Equal(2, _instances.Sum(i => i.Asked));
    }

    [Fact]
    public async Task one_whose_caller_has_gone_away_is_not_taken_for_silent()
    {
        using var client = Client(LongEnough);
        foreach (var instance in _instances) instance.Trouble = Trouble.Silent;
        using var caller = new CancellationTokenSource();
        var asking = client.GetAsync("/where?are=you", caller.Token);
        await Task.WhenAny(_instances.Select(i => i.WasAsked)).WaitAsync(LongEnough);
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);

        foreach (var instance in _instances) instance.Trouble = Trouble.None;
        for (var n = 0; n < 5; n++) await client.GetStringAsync("/where?are=you");
        Assert.All(_instances, i => Assert.Equal(2, i.Asked));
    }

    public void Dispose() => Array.ForEach(_instances, i => i.Dispose());

    private HttpClient Client(TimeSpan timeout)
    {
        Uri[] addresses = [.. _instances.Select(i => i.Address)];
        return new(new Instances(addresses, timeout, _clock)) { BaseAddress = addresses[0], Timeout = timeout };
    }

    public enum Trouble { None, Closed, Silent, Unavailable }

    /// <summary>A server that closes each connection after its answer.</summary>
    private sealed class Instance : IDisposable
    {
        private readonly List<TcpClient> _unanswered = [];
        private readonly TaskCompletionSource _wasAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TcpListener? _listener;
        private Trouble _trouble;
        private int _asked;

        public Instance()
        {
            _listener = Open(0);
            Address = new Uri($"http://{_listener.LocalEndpoint}");
        }

        public Uri Address { get; }
        public int Asked => Volatile.Read(ref _asked);
        public Task WasAsked => _wasAsked.Task;

        public Trouble Trouble
        {
            set
            {
                _trouble = value;
                if (value == Trouble.Closed) Dispose();
                else _listener ??= Open(Address.Port);
            }
        }

        public void Dispose()
        {
            _listener?.Dispose();
            _listener = null;
            _unanswered.ForEach(c => c.Dispose());
        }

        private TcpListener Open(int port)
        {
            var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            _ = AnswerAsync(listener);
            return listener;
        }

        private async Task AnswerAsync(TcpListener listener)
        {
            while (true)
            {
                TcpClient client;
                try
                {
                    client = await listener.AcceptTcpClientAsync();
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    return;
                }
                var request = new byte[4096];
                var read = await client.GetStream().ReadAsync(request);
                Interlocked.Increment(ref _asked);
                _wasAsked.TrySetResult();
                if (_trouble == Trouble.Silent)
                {
                    _unanswered.Add(client);
                    continue;
                }
                using (client)
                {
                    var status = _trouble == Trouble.Unavailable ? "503 Service Unavailable" : Encoding.ASCII.GetString(request, 0, read).StartsWith("GET /where?are=you ", StringComparison.Ordinal) ? "200 OK" : "404 Not Found";
                    await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 4\r\nConnection: close\r\n\r\nhere"));
                }
            }
        }
    }
}
