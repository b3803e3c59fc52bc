using Signup.Mail;

namespace Signup.Tests.Unit.Mail;

public sealed class the_pace
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly Pace Unlimited = new(double.PositiveInfinity);

    /// <summary>After so many mails were sent within one second.</summary>
    private static Pace After(int mails, Pace? pace = null)
    {
        pace ??= Unlimited;
        for (var i = 0; i < mails; i++) pace = pace.Take(Now, out _);
        return pace;
    }

    [Fact]
    public void keeps_mails_apart_by_the_setting()
    {
        var pace = new Pace(4);
        var waits = new List<double>();
        for (var i = 0; i < 4; i++)
        {
            pace = pace.Take(Now, out var wait);
            waits.Add(wait.TotalSeconds);
        }
        Assert.Equal([0, 0.25, 0.5, 0.75], waits);
        // Time in which nothing was sent is not made up for.
        pace = pace.Take(Now.AddMinutes(1), out var late);
        pace.Take(Now.AddMinutes(1), out var next);
        Assert.Equal((TimeSpan.Zero, TimeSpan.FromSeconds(0.25)), (late, next));
    }

    [Fact]
    public void is_as_fast_as_it_goes_by_default()
    {
        After(1000).Take(Now, out var wait);
        Assert.Equal((TimeSpan.Zero, double.PositiveInfinity), (wait, Unlimited.PerSecond(Now)));
    }

    [Fact]
    public void halves_when_it_is_too_fast_and_doubles_with_every_half_minute_until_it_is_what_it_was()
    {
        var pace = After(40).TooFast(null, Now);
        Assert.Equal([20, 40, 80, 160, double.PositiveInfinity], Enumerable.Range(0, 5).Select(i => pace.PerSecond(Now + (i * Pace.Doubling))));
        Assert.True(pace.IsSlowed(Now.AddSeconds(119)));
        Assert.False(pace.IsSlowed(Now.AddSeconds(120)));
        var limited = After(40, new Pace(50)).TooFast(null, Now);
        Assert.Equal(50, limited.PerSecond(Now.AddSeconds(60)));
        Assert.False(limited.IsSlowed(Now.AddSeconds(60)));
    }

    [Fact]
    public void halves_once_a_second_whatever_was_said_about_mails_under_way()
    {
        var pace = After(40).TooFast(null, Now);
        Assert.Equal(20, pace.TooFast(null, Now.AddSeconds(0.9)).PerSecond(Now));
        Assert.InRange(pace.TooFast(null, Now.AddSeconds(1)).PerSecond(Now.AddSeconds(1)), 1, 10.5);
    }

    [Fact]
    public void is_never_slower_than_a_mail_a_second_unless_by_setting()
    {
        var pace = After(3);
        for (var i = 0; i < 100; i++) pace = pace.TooFast(null, Now.AddSeconds(2 * i));
        Assert.Equal(1, pace.PerSecond(Now.AddSeconds(198)));
        Assert.Equal(0.1, After(3, new Pace(0.1)).TooFast(null, Now).PerSecond(Now));
    }

    [Fact]
    public void is_not_slowed_by_what_is_said_of_mails_to_one_strangers_domain()
    {
        var pace = After(40);
        for (var i = 0; i < 1000; i++) pace = pace.TooFast($"d{i}.stranger.example", Now.AddSeconds(i * 0.01));
        Assert.False(pace.IsSlowed(Now.AddSeconds(10)));
    }

    [Fact]
    public void is_slowed_by_what_is_said_of_mails_to_five_domains_within_a_minute()
    {
        Assert.True(To(5, TimeSpan.FromSeconds(10)).IsSlowed(Now.AddSeconds(40)));
        Assert.False(To(4, TimeSpan.FromSeconds(10)).IsSlowed(Now.AddSeconds(40)));
        Assert.False(To(6, TimeSpan.FromSeconds(20)).IsSlowed(Now.AddSeconds(100)));

        static Pace To(int domains, TimeSpan apart) => Enumerable.Range(0, domains).Aggregate(After(40), (pace, i) => pace.TooFast($"d{i}.example", Now + (i * apart)));
    }
}
