using Signup.Mail;

namespace Signup.Tests.Unit.Mail;

public sealed class the_journal : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, 123, 456, TimeSpan.Zero);

    public void Dispose() => _folder.Delete(recursive: true);

    private static SentMail Mail(int i) => new(new Guid(i, 0, 0, new byte[8]), "activation", Now.AddTicks(i));

    /// <summary>A process ends, and the database has not been told.</summary>
    private void LeaveBehind(params SentMail[] mails)
    {
        using var journal = new SentJournal(_folder.FullName);
        foreach (var mail in mails) journal.Note(mail);
    }

    private async Task<List<SentMail>> ReplayAsync()
    {
        using var journal = new SentJournal(_folder.FullName);
        var replayed = new List<SentMail>();
        await journal.ReplayAsync(mail => { replayed.Add(mail); return Task.CompletedTask; });
        return replayed;
    }

    [Fact]
    public async Task tells_what_a_dead_process_had_sent()
    {
        LeaveBehind(Mail(1), Mail(2));
        Assert.Equal([Mail(1), Mail(2)], await ReplayAsync());
    }

    [Fact]
    public async Task tells_it_once()
    {
        LeaveBehind(Mail(1));
        await ReplayAsync();
        Assert.Empty(await ReplayAsync());
    }

    [Fact]
    public async Task keeps_it_until_the_database_could_be_told()
    {
        LeaveBehind(Mail(1));
        using (var journal = new SentJournal(_folder.FullName))
            await Assert.ThrowsAsync<TimeoutException>(() => journal.ReplayAsync(_ => throw new TimeoutException()));
        Assert.Equal([Mail(1)], await ReplayAsync());
    }

    [Fact]
    public async Task does_not_touch_the_notes_of_who_lives()
    {
        using var alive = new SentJournal(_folder.FullName);
        alive.Note(Mail(1));
        Assert.Empty(await ReplayAsync());
    }

    [Fact]
    public async Task ignores_a_line_that_was_cut_short()
    {
        File.WriteAllText(Path.Combine(_folder.FullName, "cut.sent"), $"{Mail(1).AccountId} activation {Mail(1).At.UtcTicks};\n{Mail(2).AccountId} activation 6389");
        Assert.Equal([Mail(1)], await ReplayAsync());
    }

    [Fact]
    public async Task forgets_what_the_database_knows_and_leaves_no_file()
    {
        using (var journal = new SentJournal(_folder.FullName))
            foreach (var i in Enumerable.Range(0, 20_000)) journal.Note(Mail(i)).Dispose();
        Assert.Empty(_folder.GetFiles());
        Assert.Empty(await ReplayAsync());
    }

    [Fact]
    public void does_not_grow_while_some_note_is_always_open()
    {
        using var journal = new SentJournal(_folder.FullName);
        IDisposable? last = null;
        for (var i = 0; i < 20_000; i++)
        {
            var next = journal.Note(Mail(i));
            last?.Dispose();
            last = next;
        }
        Assert.InRange(_folder.GetFiles().Sum(f => f.Length), 1, 600 * 1024);
        last!.Dispose();
    }
}
