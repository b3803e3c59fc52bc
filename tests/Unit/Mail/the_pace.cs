using Signup.Mail;

namespace Signup.Tests.Unit.Mail;

public class the_pace
{
    private readonly Clock _clock = new();
    private readonly Pace _pace;

    public the_pace() => _pace = new Pace(least: 64, most: 4_096, _clock);

    [Fact]
    public void is_slow_at_first() => Assert.Equal(64, _pace.InHand);

    [Theory]
    [InlineData(10, 64)]      // 20 a second, as before a provider that is slow
    [InlineData(500, 500)]    // 1,000 a second
    [InlineData(100_000, 4_096)]
    public void has_in_hand_what_goes_out_in_half_a_second_within_bounds(int sentInHalfASecond, int inHand)
    {
        Pass(sentInHalfASecond, 0.5);

        Assert.Equal(inHand, _pace.InHand);
    }

    [Fact]
    public void falls_back_when_the_provider_becomes_slow()
    {
        Pass(1_000, 0.5);
        Assert.Equal(1_000, _pace.InHand);
        Pass(2, 0.5);

        Assert.Equal(64, _pace.InHand);
    }

    [Fact]
    public void is_not_told_from_a_moment()
    {
        Pass(1_000, 0.1);

        Assert.Equal(64, _pace.InHand);
    }

    private void Pass(int mails, double seconds)
    {
        for (var i = 0; i < mails; i++) _pace.Sent();
        _clock.Now += TimeSpan.FromSeconds(seconds);
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now { get; set; }
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
        public override long GetTimestamp() => Now.Ticks;
    }
}
