using Signup.EventLog.Archive;

namespace Signup.Tests.Unit.EventLog;

public class when_a_segment_of_the_log_is_a_file
{
    private static readonly DateTimeOffset Moment = new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero).AddTicks(1234560);

    [Fact]
    public async Task every_column_comes_back_as_it_was()
    {
        StoredEvent[] events =
        [
            Event(1, """{"email": "zoë@example.org", "n": 1.50, "text": "line\nbreak \"quoted\" 🦊"}"""),
            Event(4, "{}") with { DotNetType = null, IsArchived = true, Tenant = "another", At = Moment.AddTicks(10) },
            Event(long.MaxValue, "{}") with { Type = "SomethingNobodyKnowsAnyMore", At = DateTimeOffset.UnixEpoch },
        ];
        Assert.Equal(events, await SegmentFile.ReadAsync(await SegmentFile.WriteAsync(events, CancellationToken.None), CancellationToken.None));
    }

    [Fact]
    public async Task many_events_come_back_in_order()
    {
        var events = Enumerable.Range(1, 5_000).Select(n => Event(n * 2, $$"""{"n": {{n}}}""")).ToList();
        Assert.Equal(events, await SegmentFile.ReadAsync(await SegmentFile.WriteAsync(events, CancellationToken.None), CancellationToken.None));
    }

    [Fact]
    public async Task the_same_events_make_the_same_bytes()
    {
        var events = Enumerable.Range(1, 100).Select(n => Event(n, $$"""{"n": {{n}}}""")).ToList();
        Assert.Equal(await SegmentFile.WriteAsync(events, CancellationToken.None), await SegmentFile.WriteAsync([.. events], CancellationToken.None));
    }

    [Fact]
    public async Task what_is_no_such_file_is_said_to_be_none()
    {
        var bytes = await SegmentFile.WriteAsync([Event(1, "{}")], CancellationToken.None);
        await Assert.ThrowsAsync<FormatException>(() => SegmentFile.ReadAsync([], CancellationToken.None));
        await Assert.ThrowsAsync<FormatException>(() => SegmentFile.ReadAsync(bytes[..^1], CancellationToken.None));
        await Assert.ThrowsAsync<FormatException>(() => SegmentFile.ReadAsync("{}"u8.ToArray(), CancellationToken.None));
    }

    private static StoredEvent Event(long position, string data) =>
        new(position, Guid.NewGuid(), position, Guid.NewGuid(), "AccountCreated", data, Moment, "*DEFAULT*", "Signup.EventLog.Accounts.AccountCreated, Signup.EventLog", false);
}
