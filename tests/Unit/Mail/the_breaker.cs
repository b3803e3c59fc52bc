using Signup.Mail;

namespace Signup.Tests.Unit.Mail;

public sealed class the_breaker
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan First = TimeSpan.FromSeconds(2), Cap = TimeSpan.FromMinutes(1);

    private static Breaker Trouble(Breaker breaker, DateTimeOffset? now = null) => breaker.Troubled("refused", now ?? Now, First, Cap);

    private static Breaker Fail(Breaker breaker, string domain, DateTimeOffset? now = null, bool answered = true) => breaker.Failed("reply-451", domain, answered, now ?? Now, First, Cap);

    private static Breaker FailAll(Breaker breaker, params string[] domains) => domains.Aggregate(breaker, (b, domain) => Fail(b, domain));

    [Fact]
    public void opens_at_the_first_trouble_with_the_connection()
    {
        var open = Trouble(Breaker.Closed);
        Assert.Equal((true, "refused", Now + First), (open.IsOpen, open.Reason, open.ProbeAt));
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
            state = Trouble(state, now);
        }
        Assert.Equal([2, 4, 8, 16, 32, 60, 60, 60], pauses);
    }

    [Fact]
    public void closes_with_the_first_success_and_forgets()
    {
        var closed = Trouble(Breaker.Closed).Succeeded();
        Assert.Equal(Breaker.Closed, closed);
        Assert.Equal(First, Trouble(closed).Pause);
    }

    [Fact]
    public void is_not_moved_by_mails_that_were_under_way_when_it_opened()
    {
        var open = Trouble(Breaker.Closed);
        Assert.Same(open, Trouble(open, Now.AddSeconds(1)));
        Assert.Same(open, Fail(open, "a.example", Now.AddSeconds(1)));
    }

    [Fact]
    public void opens_when_mails_to_five_domains_fail_in_a_row()
    {
        var four = FailAll(Breaker.Closed, "a.example", "b.example", "c.example", "d.example");
        Assert.False(four.IsOpen);
        Assert.True(Fail(four, "e.example").IsOpen);
        Assert.False(FailAll(four.Succeeded(), "e.example", "f.example", "g.example", "h.example").IsOpen);
    }

    [Fact]
    public void stays_closed_whatever_happens_to_mails_to_one_domain_and_its_subdomains() =>
        Assert.False(FailAll(Breaker.Closed, [.. Enumerable.Range(0, 100).Select(i => i % 2 == 0 ? $"A{i}.Evil.example" : "evil.Example")]).IsOpen);

    [Fact]
    public void closes_when_the_provider_answers_for_a_mail_after_it_could_not_be_reached()
    {
        var open = Trouble(Breaker.Closed);
        Assert.False(Fail(open, "a.example", open.ProbeAt).IsOpen);
        Assert.True(Fail(open, "a.example", open.ProbeAt, answered: false).IsOpen);
    }

    [Fact]
    public void stays_open_while_probes_fail_after_mails_to_many_domains_did()
    {
        var open = FailAll(Breaker.Closed, "a.example", "b.example", "c.example", "d.example", "e.example");
        var again = Fail(open, "a.example", open.ProbeAt);
        Assert.Equal((true, First * 2), (again.IsOpen, again.Pause));
    }
}
