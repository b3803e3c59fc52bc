using Signup.Hosting;

namespace Signup.Tests.Unit.Hosting;

public class when_many_share_a_transaction
{
    [Fact]
    public async Task each_gets_its_own_result()
    {
        var commits = new GroupCommit<int, int>(batch => Task.FromResult<IReadOnlyList<int>>([.. batch.Select(n => n * n)]), maxBatch: 7);

        var results = await Task.WhenAll(Enumerable.Range(0, 500).Select(n => Task.Run(() => commits.SubmitAsync(n))));

        Assert.Equal(Enumerable.Range(0, 500).Select(n => n * n), results);
    }

    [Fact]
    public async Task those_who_come_during_a_commit_form_the_next_batch()
    {
        var gate = new TaskCompletionSource();
        var sizes = new List<int>();
        var commits = new GroupCommit<int, int>(async batch =>
        {
            sizes.Add(batch.Count);
            if (sizes.Count == 1) await gate.Task;
            return [.. batch];
        }, maxBatch: 100);

        var first = commits.SubmitAsync(0);
        SpinWait.SpinUntil(() => sizes.Count == 1, TimeSpan.FromSeconds(10));
        var rest = Enumerable.Range(1, 50).Select(commits.SubmitAsync).ToArray();
        gate.SetResult();
        await Task.WhenAll([first, .. rest]);

        Assert.Equal([1, 50], sizes);
    }

    [Fact]
    public async Task a_bad_one_fails_alone()
    {
        var commits = new GroupCommit<int, int>(batch => batch.Contains(3) ? throw new InvalidOperationException("three") : Task.FromResult(batch), maxBatch: 10);

        var all = Enumerable.Range(0, 6).Select(commits.SubmitAsync).ToArray();

        await Assert.ThrowsAsync<InvalidOperationException>(() => all[3]);
        foreach (var n in new[] { 0, 1, 2, 4, 5 }) Assert.Equal(n, await all[n]);
    }
}
