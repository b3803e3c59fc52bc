using Signup.Mail;

namespace Signup.Tests.Unit.Mail;

public sealed class the_breaker
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan First = TimeSpan.FromSeconds(2), Cap = TimeSpan.FromMinutes(1);

    private static Breaker Trouble(Breaker breaker, DateTimeOffset? now = null, bool inMail = false) =>
        breaker.Troubled("refused", inMail, now ?? Now, First, Cap);

    [Fact]
    public void opens_at_the_first_trouble_with_the_provider()
    {
        var open = Trouble(Breaker.Closed);
        Assert.Equal((BreakerState.Open, "refused", Now + First), (open.State, open.Reason, open.ProbeAt));
    }

    [Fact]
    public void lets_no_probe_go_before_its_time()
    {
        var open = Trouble(Breaker.Closed);
        Assert.Equal(BreakerState.Open, open.Probe(Now + First - TimeSpan.FromTicks(1)).State);
        Assert.Equal(BreakerState.Probing, open.Probe(Now + First).State);
    }

    [Fact]
    public void doubles_its_pause_with_each_failed_probe_up_to_the_cap()
    {
        var now = Now;
        var state = Trouble(Breaker.Closed, now);
        var pauses = new List<double>();
        for (var i = 0; i < 8; i++)
        {
            pauses.Add((state.ProbeAt - now).TotalSeconds);
            now = state.ProbeAt;
            state = Trouble(state.Probe(now), now);
        }
        Assert.Equal([2, 4, 8, 16, 32, 60, 60, 60], pauses);
    }

    [Fact]
    public void closes_with_the_first_success_and_forgets()
    {
        var closed = Trouble(Breaker.Closed).Probe(Now + First).Succeeded();
        Assert.Equal(Breaker.Closed, closed);
        Assert.Equal(First, Trouble(closed).Pause);
    }

    [Fact]
    public void is_not_moved_by_mails_that_were_under_way_when_it_opened()
    {
        var open = Trouble(Breaker.Closed);
        Assert.Same(open, Trouble(open, Now.AddSeconds(1)));
    }

    [Fact]
    public void stays_closed_while_single_mails_break_off()
    {
        var state = Breaker.Closed;
        for (var i = 0; i < 10; i++) state = Trouble(Trouble(state, inMail: true), inMail: true).Succeeded();
        Assert.Equal(BreakerState.Closed, state.State);
    }

    [Fact]
    public void opens_when_three_in_a_row_break_off()
    {
        var two = Trouble(Trouble(Breaker.Closed, inMail: true), inMail: true);
        Assert.Equal(BreakerState.Closed, two.State);
        Assert.Equal(BreakerState.Open, Trouble(two, inMail: true).State);
    }

    [Fact]
    public void stays_open_when_a_probe_breaks_off() =>
        Assert.Equal(BreakerState.Open, Trouble(Trouble(Breaker.Closed).Probe(Now + First), Now + First, inMail: true).State);
}
