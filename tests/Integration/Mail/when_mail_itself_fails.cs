using Signup.Hosting.RabbitMq;
using Stored = Signup.EventLog.Accounts;

namespace Signup.Tests.Integration.Mail;

/// <summary>Faults of the endpoint's own, each injected where it would happen. None ends a loop, and while it lasts the health check names it.</summary>
public sealed class when_mail_itself_fails
{
    /// <summary>What it does to the table at each step.</summary>
    public static readonly TheoryData<string, string, string> Steps = new()
    {
        { "mailtakes", "update of taken_by", "new.taken_by is not null" },
        { "mailnotes", "update of sent", "new.sent is not null" },
        { "mailrecords", "update of status", "true" },
    };

    [Theory, MemberData(nameof(Steps))]
    public async Task every_mail_arrives_once_when_the_database_works_again(string name, string on, string when)
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync(name, smtp.Start());
        await mail.SignUpAsync("before@example.com");
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 1, "mails flow");

        await ExecuteAsync(mail, $"""
            create function mail.fail() returns trigger language plpgsql as $$ begin raise exception using errcode = '58030', message = 'I/O error'; end $$;
            create trigger fail before {on} on mail.activation for each row when ({when}) execute function mail.fail();
            """);
        var addresses = Faults.Addresses(name, 30);
        await mail.SignUpAsync(addresses);
        // A note that fails is made up for by recording at once.
        if (name != "mailnotes")
        {
            await FaultsAreAsync(mail, "58030");
            Assert.Equal("Degraded", (await mail.ProviderHealthAsync()).GetProperty("status").GetString());
            await ExecuteAsync(mail, "drop trigger fail on mail.activation");
        }
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 31, "all mails are recorded");
        Assert.Equal(31, smtp.Mails.Count);
        await FaultsAreAsync(mail, null);
        Assert.InRange(mail.Process.LogLines("this does not work at the moment").Length, name == "mailnotes" ? 0 : 1, 4);
    }

    [Fact]
    public async Task a_fault_while_the_provider_is_probed_does_not_end_the_probing()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailprobes", smtp, new() { ["Mail__ProbeFirst"] = "00:00:00.2", ["Mail__ProbeCap"] = "00:00:00.5" });
        await mail.SignUpAsync(Faults.Addresses("probes", 10));
        await mail.BreakerIsAsync("open");
        await ExecuteAsync(mail, """
            create function mail.fail() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
            create trigger fail before update on mail.activation for each row execute function mail.fail();
            """);
        await FaultsAreAsync(mail, "P0001");
        smtp.Start();
        await ExecuteAsync(mail, "drop trigger fail on mail.activation");
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 10, "all mails are recorded");
        await mail.BreakerIsAsync("closed");
        Assert.Equal(10, smtp.Mails.Count);
    }

    [Fact]
    public async Task a_mail_that_a_loop_was_given_in_an_answer_that_was_lost_is_sent_all_the_same()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailanswer", smtp.Start(), new() { ["Mail__Connections"] = "1" });
        await Wait.UntilAsync(async () => await ScalarAsync(mail, Loop) is not DBNull, "Mail shows that it lives");
        await ExecuteAsync(mail, $"""
            create function mail.take() returns trigger language plpgsql as $$ begin new.taken_by = ({Loop}); new.taken_at = now(); return new; end $$;
            create trigger take before insert on mail.activation for each row execute function mail.take();
            """);
        await mail.SignUpAsync("ada@example.com");
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 1, "the mail is recorded");
        Assert.Single(smtp.Mails);
    }

    [Fact]
    public async Task a_lost_connection_by_which_it_shows_that_it_lives_is_a_fault_only_until_there_is_another()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("maillife", smtp.Start());
        await Wait.UntilAsync(async () => await ScalarAsync(mail, Loop) is not DBNull, "Mail shows that it lives");
        const string who = "select min(l.pid) from pg_locks l join pg_database d on d.oid = l.database where d.datname = current_database() and l.locktype = 'advisory' and l.classid = x'6d61696c'::int::oid";
        var before = (int)(await ScalarAsync(mail, who))!;
        await ExecuteAsync(mail, $"select pg_terminate_backend({before})");
        await Wait.UntilAsync(async () => await ScalarAsync(mail, who) is int now && now != before, "it shows it by another");
        await FaultsAreAsync(mail, null);
    }

    /// <summary>The number by which rows name the first loop.</summary>
    private const string Loop = "select min(l.objid::bigint)::int from pg_locks l join pg_database d on d.oid = l.database where d.datname = current_database() and l.locktype = 'advisory' and l.classid = x'6d61696c'::int::oid";

    [Fact]
    public async Task mails_flow_while_no_expiry_can_be_asked_for_and_it_is_asked_for_later()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailnoexpiry", smtp.Start(), new() { ["Mail__ExpireAfter"] = "00:00:04" });
        await using var channel = await mail.System.Broker.OpenChannelAsync(Wait.Token);
        // Whoever publishes events declares what there must be, before the first.
        await mail.SignUpAsync("first@example.com");
        await Wait.UntilAsync(async () => (long)(await ScalarAsync(mail, "select position from publisher.checkpoint"))! > 0, "an event is published");
        await channel.QueueDeleteAsync(Topology.Accounts, false, false, cancellationToken: Wait.Token);
        await mail.SignUpAsync("ada@example.com");
        await FaultsAreAsync(mail, "asking for expiries");
        await mail.SignUpAsync("later@example.com");
        await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count == 3), "mails flow");

        var args = new Dictionary<string, object?> { ["x-queue-type"] = "quorum" };
        await channel.QueueDeclareAsync(Topology.Accounts, durable: true, exclusive: false, autoDelete: false, args, cancellationToken: Wait.Token);
        await channel.QueueBindAsync(Topology.Accounts, Topology.Accounts, "", cancellationToken: Wait.Token);
        await Wait.UntilAsync(async () => await mail.QueueLengthAsync(Topology.Accounts) >= 2, "both expiries are asked for");
        await FaultsAreAsync(mail, null);
    }

    [Fact]
    public async Task other_settings_than_those_a_row_was_written_under_neither_send_early_nor_take_it_again_and_again()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailsettings", smtp.Start(), new() { ["Mail__Reminders__0"] = "00:00:02", ["Mail__Reminders__1"] = "3.00:00:00" });
        var id = await mail.SignUpAsync("ada@example.com");
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 1, "the mail is recorded");
        await mail.Process.StopAsync();
        var before = await mail.LogAsync(id);
        mail.Process.Set("Mail__Reminders__0", "1.00:00:00");
        await mail.Process.StartAsync();
        await Wait.UntilAsync(async () => (bool)(await ScalarAsync(mail, "select due_at > now() + interval '23 hours' and taken_by is null from mail.activation"))!, "the row is written anew");
        var row = await ScalarAsync(mail, "select xmin::text from mail.activation");
        await mail.SignUpAsync("last@example.com");
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 2, "a later mail is recorded");
        Assert.Equal(row, await ScalarAsync(mail, $"select xmin::text from mail.activation where id = '{id}'"));
        Assert.Equal(before.Length, (await mail.LogAsync(id)).Length);
    }

    [Fact]
    public async Task a_folder_for_mails_that_cannot_be_written_is_trouble_and_they_are_written_later()
    {
        await using var mail = await MailProcess.StartAsync("mailfolder", settings: new() { ["Mail__ProbeFirst"] = "00:00:00.2", ["Mail__ProbeCap"] = "00:00:00.5" });
        Directory.Delete(mail.System.MailPickup, recursive: true);
        await mail.SignUpAsync(Faults.Addresses("folder", 5));
        await mail.BreakerIsAsync("open");
        Assert.Equal("pickup-directory", (await mail.ProviderHealthAsync()).GetProperty("data").GetProperty("reason").GetString());
        Directory.CreateDirectory(mail.System.MailPickup);
        await Wait.UntilAsync(async () => await mail.CountAsync<Stored.ActivationMailSent>() == 5, "all mails are in the log");
        Assert.Equal(5, Directory.GetFiles(mail.System.MailPickup, "*.eml").Length);
    }

    private static Task FaultsAreAsync(MailProcess mail, string? named) => Wait.UntilAsync(async () =>
    {
        var all = (await mail.ProviderHealthAsync()).GetProperty("data").TryGetProperty("faults", out var faults) ? faults.ToString() : null;
        return named is null ? all is null : all?.Contains(named, StringComparison.Ordinal) ?? false;
    }, named is null ? "the health check tells of no fault" : $"the health check tells of {named}");

    private static async Task ExecuteAsync(MailProcess mail, string sql)
    {
        await using var command = mail.System.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<object?> ScalarAsync(MailProcess mail, string sql)
    {
        await using var command = mail.System.Database.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }
}
