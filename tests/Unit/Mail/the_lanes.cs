using Signup.Mail;

namespace Signup.Tests.Unit.Mail;

public sealed class the_lanes : IDisposable
{
    private readonly Clock _clock = new();
    private readonly Lanes _lanes;

    public the_lanes() => _lanes = new Lanes(1, 6, _clock);

    public void Dispose() => _lanes.Dispose();

    private int After(double seconds, bool mailsWait = true)
    {
        _clock.Now += TimeSpan.FromSeconds(seconds);
        _lanes.Look(mailsWait);
        return _lanes.Allowed;
    }

    [Fact]
    public void double_for_every_second_that_mails_wait_up_to_the_most()
    {
        Assert.Equal([1, 1, 2, 2, 4, 6, 6], new[] { 0, 0.9, 0.1, 0.9, 0.1, 1, 1 }.Select(s => After(s)));
    }

    [Fact]
    public void stay_as_they_are_while_mails_hardly_wait()
    {
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(1, After(0.4));
            Assert.Equal(1, After(0.4, mailsWait: false));
        }
    }

    [Fact]
    public async Task become_fewer_when_one_has_nothing_to_do_but_never_none()
    {
        After(0);
        After(1);
        await _lanes.EnterAsync(default);
        await _lanes.EnterAsync(default);
        _lanes.Leave();
        Assert.Equal(1, _lanes.Allowed);
        _lanes.Leave();
        Assert.Equal(1, _lanes.Allowed);
        Assert.True(_lanes.EnterAsync(default).IsCompletedSuccessfully);
        Assert.False(_lanes.EnterAsync(default).IsCompleted);
    }

    [Fact]
    public async Task become_fewer_for_a_minute_when_one_is_refused()
    {
        After(0);
        After(1);
        await _lanes.EnterAsync(default);
        Assert.True(_lanes.TryNarrow());
        Assert.Equal(1, _lanes.Allowed);
        Assert.Equal(1, After(59));
        Assert.Equal(2, After(2));
    }

    [Fact]
    public void cannot_become_none() => Assert.False(_lanes.TryNarrow());

    [Fact]
    public async Task widen_again_at_once_when_it_was_not_their_number()
    {
        After(0);
        After(1);
        await _lanes.EnterAsync(default);
        _lanes.TryNarrow();
        _lanes.Forgive();
        Assert.Equal(2, After(1));
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
