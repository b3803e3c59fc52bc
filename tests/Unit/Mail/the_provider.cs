using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Signup.Mail;

namespace Signup.Tests.Unit.Mail;

public sealed class the_provider : IDisposable
{
    private static readonly Outcome Accepted = new Outcome.Accepted(), NoConnection = new Outcome.Trouble("reply-421", Connecting: true);
    private readonly Clock _clock = new();
    private readonly Meters _meters = new();
    private readonly Provider _provider;

    public the_provider() => _provider = new Provider(new MailSettings { Connections = 4 }, new SmtpSettings(), _clock, NullLogger<Provider>.Instance, _meters);

    public void Dispose()
    {
        _provider.Dispose();
        _meters.Dispose();
    }

    private void Answers(params Outcome[] outcomes)
    {
        foreach (var outcome in outcomes) _provider.Answered(outcome, "example.com");
    }

    [Fact]
    public void that_refuses_a_connection_while_it_serves_others_gets_one_fewer_for_a_minute()
    {
        Answers(Accepted, NoConnection, NoConnection);
        Assert.Equal((2, false), (_provider.Connections, _provider.Breaker.IsOpen));
        _clock.Now += TimeSpan.FromSeconds(59);
        Assert.Equal(2, _provider.Connections);
        _clock.Now += TimeSpan.FromSeconds(1);
        Assert.Equal(4, _provider.Connections);
    }

    [Fact]
    public void that_refuses_the_last_connection_is_in_trouble_and_it_was_not_their_number()
    {
        Answers(Accepted, NoConnection, NoConnection, NoConnection);
        Assert.Equal((1, false), (_provider.Connections, _provider.Breaker.IsOpen));
        Answers(NoConnection);
        Assert.Equal((4, true), (_provider.Connections, _provider.Breaker.IsOpen));
    }

    [Fact]
    public void that_has_not_served_anybody_lately_is_in_trouble_at_once()
    {
        Answers(Accepted);
        _clock.Now += TimeSpan.FromSeconds(31);
        Answers(NoConnection);
        Assert.Equal((4, true), (_provider.Connections, _provider.Breaker.IsOpen));
    }

    [Fact]
    public void in_trouble_may_be_probed_when_its_pause_is_over_however_the_last_probe_ended()
    {
        Answers(NoConnection);
        Assert.False(_provider.MayProbe);
        _clock.Now += TimeSpan.FromSeconds(2);
        // As often as it takes: a probe of which nothing is heard leaves nothing behind.
        Assert.True(_provider.MayProbe);
        Assert.True(_provider.MayProbe);
        Answers(Accepted);
        Assert.False(_provider.MayProbe || _provider.Breaker.IsOpen);
    }

    [Fact]
    public void works_where_it_refuses_address_after_address()
    {
        for (var i = 0; i < 100; i++) _provider.Answered(new Outcome.Refused("mailbox-unavailable", Sure: true), $"d{i}.example");
        Assert.False(_provider.Breaker.IsOpen);
    }

    [Fact]
    public void that_says_it_is_too_fast_gets_mails_more_slowly_and_is_not_in_trouble()
    {
        for (var i = 0; i < 40; i++) Assert.True(_provider.TurnAsync(CancellationToken.None).IsCompleted);
        for (var i = 0; i < 100; i++) _provider.Answered(new Outcome.TooFast("reply-454", Named: true), $"d{i}.example");
        Assert.Equal((20.0, true, false), (_provider.PerSecond, _provider.IsSlowed, _provider.Breaker.IsOpen));
        _clock.Now += TimeSpan.FromMinutes(2);
        Assert.Equal((null, false), (_provider.PerSecond, _provider.IsSlowed));
    }

    [Fact]
    public void that_was_in_trouble_works_when_it_says_that_it_is_too_fast()
    {
        Answers(NoConnection);
        _clock.Now += TimeSpan.FromSeconds(2);
        Answers(new Outcome.TooFast("reply-450", Named: false));
        Assert.False(_provider.Breaker.IsOpen);
        Assert.True(_provider.IsSlowed);
    }

    [Fact]
    public void gets_no_more_connections_than_a_slow_pace_needs()
    {
        using var slow = new Provider(new MailSettings { Connections = 256, MailsPerSecond = 0.5 }, new SmtpSettings(), _clock, NullLogger<Provider>.Instance, _meters);
        Assert.Equal(5, slow.Connections);
    }

    private sealed class Meters : IMeterFactory
    {
        private readonly List<Meter> _meters = [];

        public Meter Create(MeterOptions options)
        {
            var meter = new Meter(options);
            _meters.Add(meter);
            return meter;
        }

        public void Dispose() => _meters.ForEach(m => m.Dispose());
    }
}
