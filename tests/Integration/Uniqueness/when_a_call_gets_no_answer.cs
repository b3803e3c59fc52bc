using System.Net;
using System.Net.Sockets;
using System.Text;
using Signup.Messages.Uniqueness;

namespace Signup.Tests.Integration.Uniqueness;

/// <summary>Accounts calls Uniqueness. Whatever answers there, or nothing, the queue of Uniqueness gets what had no verdict.</summary>
public sealed class when_a_call_gets_no_answer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private SignupSystem? _system;
    private volatile int _calls;

    [Theory]
    [InlineData("nothing at all", null)]
    [InlineData("an error", "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n")]
    [InlineData("something else than verdicts", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n<p>Hi</p>")]
    [InlineData("something in letters that nobody knows", "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=klingon\r\ncontent-length: 6\r\n\r\n[null]")]
    [InlineData("too few verdicts", "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]")]
    [InlineData("no verdict", "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 6\r\n\r\n[null]", 10)]
    public async Task the_same_proposal_goes_to_the_queue_and_everybody_has_a_verdict(string _, string? answer, int mostCalls = 5)
    {
        _listener.Start();
        using var done = new CancellationTokenSource();
        var answering = AnswerAsync(answer, done.Token);
        _system = await SignupSystem.StartAsync("nocall", null, "Uniqueness");
        var accounts = _system.Add("Accounts");
        accounts.Set("Uniqueness__Url", $"http://{_listener.LocalEndpoint}");
        await accounts.StartAsync();
        // What it has rehearsed is none of these.
        _calls = 0;

        // One after another: it is not tried again for each of them. Then many at once, which wait for a call, or find that it was given up.
        for (var n = 0; n < 10; n++) Assert.Equal(VerdictOutcome.Accepted, (await SignUpAsync())!.Outcome);
        Assert.InRange(_calls, 1, mostCalls);
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => SignUpAsync())), v => Assert.Equal(VerdictOutcome.Accepted, v!.Outcome));

        await using var count = _system.Database.CreateCommand("select count(*) from log.mt_events where type = 'AccountCreated'");
        Assert.Equal(60L, await count.ExecuteScalarAsync());
        await done.CancelAsync();
        await answering.WaitAsync(Wait.Deadline);
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        if (_system is not null) await _system.DisposeAsync();
    }

    private Task<Verdict?> SignUpAsync()
    {
        var command = UniquenessPair.NewSignUp();
        return _system!.Commands.AskAsync<Verdict>("accounts", command, command.AccountId, TimeSpan.FromSeconds(20), CancellationToken.None);
    }

    /// <summary>The same to everyone who says anything; without an answer, the connection stays open.</summary>
    private async Task AnswerAsync(string? answer, CancellationToken done)
    {
        var clients = new List<TcpClient>();
        try
        {
            while (!done.IsCancellationRequested)
            {
                var client = await _listener.AcceptTcpClientAsync(done);
                clients.Add(client);
                _calls++;
                var stream = client.GetStream();
                await stream.ReadAtLeastAsync(new byte[64 * 1024], 1, throwOnEndOfStream: false, done);
                if (answer is null) continue;
                await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), done);
                client.Close();
            }
        }
        catch (OperationCanceledException)
        {
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }
    }
}
