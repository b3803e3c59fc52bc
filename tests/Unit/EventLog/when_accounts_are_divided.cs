using Signup.EventLog;

namespace Signup.Tests.Unit.EventLog;

public sealed class when_accounts_are_divided
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(65536)]
    public void each_is_in_one_partition_and_none_is_much_larger_than_another(int count)
    {
        var partitions = Partition.Divide(count);
        Assert.Equal(count, partitions.Count);
        Assert.Equal(Enumerable.Range(0, 0x10000), partitions.SelectMany(p => Enumerable.Range(p.Low, p.High - p.Low + 1)));
        Assert.InRange(partitions.Max(p => p.High - p.Low) - partitions.Min(p => p.High - p.Low), 0, 1);
        Assert.All(partitions, p => Assert.Equal(count, p.Count));
    }
}
