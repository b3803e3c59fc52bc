using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Query.Commands;
using Signup.Query.Questions;
using Signup.Tests.Integration.Archive;

namespace Signup.Tests.Integration.Query;

/// <summary>The questions that are shipped, put to a history whose answers are known.</summary>
public sealed class asking_the_log : IAsyncLifetime
{
    private static readonly DateTimeOffset From = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset To = From.AddDays(30);
    private readonly List<ExportedEvent> _history = [];
    private LogDatabase _log = null!;
    private Catalogue _catalogue = null!;

    public async ValueTask InitializeAsync()
    {
        _log = await LogDatabase.CreateAsync("questions");
        _catalogue = new Catalogue(_log.Database, new LogReader(_log.Database), Path.Combine(AppContext.BaseDirectory, "Questions"));

        // a: activated after 30 s. b: after two mails and 2 days. c: expires; its address is taken again by d, in another spelling. e: mail refused, deleted. f: outside the range.
        var (a, b, c, d, e, f) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        Happened(f, -5, new AccountCreated("f", "f@example.org", "", "en", From));
        Happened(a, 1, new AccountCreated("a", "a@example.org", "", "en", From));
        Happened(a, 1.0001, new ActivationMailSent("activation", From));
        Happened(a, 1 + 30 / 86400.0, new AccountActivated(From));
        Happened(b, 1.1, new AccountCreated("b", "b@example.org", "", "en", From));
        Happened(c, 1.2, new AccountCreated("c", "C@Example.org", "", "en", From));
        Happened(b, 1.3, new ActivationMailSent("activation", From));
        Happened(c, 1.3, new ActivationMailSent("activation", From));
        Happened(e, 2.1, new AccountCreated("e", "e@example.org", "", "en", From));
        Happened(e, 2.2, new ActivationMailFailed("activation", "mailbox-unavailable", From));
        Happened(b, 2.3, new ActivationMailSent("reminder-1", From));
        Happened(b, 3.1, new AccountActivated(From));
        Happened(e, 4.1, new AccountDeleted("e@example.org", From));
        Happened(c, 8.3, new AccountExpired("C@Example.org", From));
        Happened(d, 9.1, new AccountCreated("d", " c@example.ORG", "", "en", From));

        var lines = string.Join('\n', _history.Select(h => System.Text.Json.JsonSerializer.Serialize(h, Export.Json)));
        await new Import(_log.Database, LogDatabase.Quiet).RunAsync(() => new StringReader(lines), Wait.Token);
    }

    public ValueTask DisposeAsync() => _log.DisposeAsync();

    [Fact]
    public async Task tells_what_was_created_given_up_and_created_again() => Assert.Equal(
        ["2026-11-02|3|0|0", "2026-11-03|1|0|0", "2026-11-04|0|0|0", "2026-11-05|0|1|0", "2026-11-06|0|0|0", "2026-11-07|0|0|0", "2026-11-08|0|0|0", "2026-11-09|0|1|0", "2026-11-10|1|0|1"],
        await AskAsync("created-given-up-created-again"));

    [Fact]
    public async Task tells_who_came_back_and_who_stayed() => Assert.Equal(["the first|4|2|1|1", "after an expired one|1|0|0|0", "after a deleted one|0|0|0|0"], await AskAsync("who-came-back"));

    [Fact]
    public async Task tells_how_far_people_came() => Assert.Equal(
        ["created|5", "mail sent|3", "activated|2", "activated after one mail|1", "activated after more|1", "given up|2"], await AskAsync("activation-funnel"));

    [Fact]
    public async Task tells_how_long_activation_took() => Assert.Equal(["1 min|1", "3 days|1"], (await AskAsync("time-to-activation")).Where(r => !r.EndsWith("|0", StringComparison.Ordinal)));

    [Fact]
    public async Task tells_how_each_day_went() => Assert.Equal(
        ["2026-11-02|3|1|1|2", "2026-11-03|1|0|0|0", .. Enumerable.Range(4, 6).Select(day => $"2026-11-0{day}|0|0|0|0"), "2026-11-10|1|0|0|0"], await AskAsync("activation-by-day"));

    [Fact]
    public async Task tells_how_many_mails_it_took() => Assert.Equal(["0 mails|0|2", "1 mail|1|1", "2 mails|1|0"], await AskAsync("mails-until-activation"));

    [Fact]
    public async Task answers_the_same_where_the_past_was_dropped()
    {
        await using var archive = ArchivedLog.Of(_log);
        var catalogue = new Catalogue(_log.Database, archive.Log(), Path.Combine(AppContext.BaseDirectory, "Questions"));
        var before = await AnswersAsync();
        await archive.ArchiveAsync(archive.Archiver(5));

        await archive.DropAsync();

        Assert.Equal(15L, await archive.ScalarAsync<long>("select count(*) from log.dropped"));
        for (var time = 0; time < 7; time++) Assert.Equal(before, await AnswersAsync());

        async Task<List<string>> AnswersAsync()
        {
            var answers = new List<string>();
            foreach (var question in catalogue.All())
                answers.AddRange((await catalogue.AskAsync(question, From, To, Wait.Token)).Rows.Select(r => $"{question.Name}: {string.Join('|', r)}"));
            return answers;
        }
    }

    [Fact]
    public async Task answers_every_question_that_is_shipped()
    {
        Assert.NotEmpty(_catalogue.All());
        foreach (var question in _catalogue.All())
        {
            var answer = await _catalogue.AskAsync(question, From, To, Wait.Token);
            Assert.NotEmpty(answer.Rows);
            Assert.NotNull(ChartLayout.Of(answer));
        }
    }

    [Fact]
    public async Task lets_no_question_write()
    {
        var question = Question.Parse("evil", "-- title: x\n-- asks: x\nwith gone as (delete from log.mt_events returning 1) select count(*) from gone");
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => _catalogue.AskAsync(question, From, To, Wait.Token));
    }

    private void Happened(Guid id, double day, object e) => _history.Add(new ExportedEvent(_history.Count + 1, id, _history.Count(h => h.StreamId == id) + 1, Guid.NewGuid(), e.GetType().Name,
        From.AddDays(day), System.Text.Json.JsonSerializer.SerializeToNode(e, e.GetType(), Signup.EventLog.LogJson.Options)!.AsObject()));

    private async Task<List<string>> AskAsync(string name) =>
        [.. (await _catalogue.AskAsync(_catalogue.Find(name)!, From, To, Wait.Token)).Rows.Select(r => string.Join('|', r.Select(Answer.Text)))];
}
