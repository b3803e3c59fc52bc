using Signup.Hosting.Following;

namespace Signup.Tests.Unit.Hosting;

public class when_a_projection_is_behind
{
    /// <param name="seconds">The lag, every five seconds.</param>
    [Theory]
    [InlineData(true, 0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60)] // one event that nobody takes
    [InlineData(true, 31, 31, 31, 31, 31, 31, 31)] // as much comes in as goes out
    [InlineData(true, 40, 35, 45, 40, 50, 45, 55, 50)] // more comes in than goes out, by the batch
    [InlineData(false, 0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 0)]
    [InlineData(false, 29, 29, 29, 29, 29, 29, 29, 29)]
    [InlineData(false, 9000000, 8000000, 7000000, 6000000, 5000000, 4000000, 3000000, 2000000)] // a history that was imported
    [InlineData(false, 0, 0, 0, 9000000, 8000000, 7000000, 6000000, 5000000, 4000000, 3000000, 2000000)]
    [InlineData(false, 60, 61)] // since when, nobody knows
    public void lag_that_grows_is_told_from_lag_that_is_made_up_for(bool grows, params int[] seconds)
    {
        var watch = new LagWatch();
        var answers = seconds.Select((s, n) => watch.Grows(TimeSpan.FromSeconds(5 * n), s)).ToList();
        Assert.Equal(grows, answers[^1]);
        Assert.Equal(grows, answers.Contains(true));
    }
}
