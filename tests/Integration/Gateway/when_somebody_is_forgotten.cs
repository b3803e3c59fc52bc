using System.Text;
using System.Text.Json.Nodes;
using Npgsql;
using static Signup.Tests.Integration.Gateway.GatewayHttp;

namespace Signup.Tests.Integration.Gateway;

public sealed class when_somebody_is_forgotten(when_somebody_is_forgotten.Running running) : IClassFixture<when_somebody_is_forgotten.Running>
{
    public sealed class Running() : SystemWithGateway("forgetting");

    private GatewayHttp Gateway => running.Gateway;

    /// <summary>Somebody with a past: all that was ever theirs, as they typed it.</summary>
    private sealed record Person(Guid Id, string Email, (string, string) Session, string[] Texts);

    private async Task<Person> PersonAsync()
    {
        var (first, name, second, wanted, renamed) = (NewEmail(), $"Zoe{Guid.NewGuid():N}", NewEmail(), NewEmail(), $"Countess{Guid.NewGuid():N}");
        var id = Guid.Parse((string)(await Gateway.PostJsonAsync("/users", Body(first, name))).Json["id"]!);
        await running.ActivateAsync(id);
        var session = Bearer(await running.SignInAsync(first));
        Assert.Equal(202, (await WantAsync(second)).Status);
        Assert.Equal(200, (await Gateway.PostJsonAsync("/email-changes", new JsonObject { ["token"] = await running.LinkAsync($"email-confirmation-*.{id}") }.ToJsonString())).Status);
        Assert.Equal(204, (await Gateway.SendJsonAsync(HttpMethod.Put, "/account/username", new JsonObject { ["username"] = renamed }.ToJsonString(), session)).Status);
        // Nobody else may have this one, for now.
        Assert.Equal(202, (await WantAsync(wanted)).Status);
        return new Person(id, second, session, [first, name, second, wanted, renamed]);

        Task<Answer> WantAsync(string email) => Gateway.PostJsonAsync("/account/email", new JsonObject { ["email"] = email, ["password"] = Password }.ToJsonString(), session);
    }

    private Task<Answer> ForgetAsync(Person person) => running.DeleteAsync(person.Session, forget: "true");

    private static void SaysNothingOf(Person person, string text) => Assert.All(person.Texts, t => Assert.DoesNotContain(t.Split('@')[0], text, StringComparison.OrdinalIgnoreCase));

    [Fact]
    public async Task from_that_moment_on_nothing_that_is_asked_for_tells_whose_it_was()
    {
        var person = await PersonAsync();
        using var query = running.System.Client("Query");
        var before = DateTimeOffset.UtcNow;
        var told = await EventsOf();
        Assert.All(person.Texts, t => Assert.Contains(t, told, StringComparison.Ordinal));

        Assert.Equal(204, (await ForgetAsync(person)).Status);

        SaysNothingOf(person, await EventsOf());
        SaysNothingOf(person, await query.GetStringAsync("log?after=0&limit=1000"));
        SaysNothingOf(person, await query.GetStringAsync($"accounts/{person.Id}?version=1"));
        SaysNothingOf(person, await query.GetStringAsync($"accounts/{person.Id}?at={Uri.EscapeDataString($"{before:O}")}"));
        var now = JsonNode.Parse(await query.GetStringAsync($"accounts/{person.Id}"))!;
        Assert.Equal(("deleted", true, "", ""), ((string?)now["status"], (bool?)now["forgotten"], (string?)now["username"], (string?)now["email"]));

        Task<string> EventsOf() => query.GetStringAsync($"accounts/{person.Id}/events");
    }

    [Fact]
    public async Task one_last_mail_says_so_and_then_no_table_and_no_log_file_has_anything_of_theirs()
    {
        var person = await PersonAsync();
        Assert.NotEmpty(await TablesWithAsync(person));
        Assert.Equal(204, (await ForgetAsync(person)).Status);

        Assert.Contains($"To: {person.Email}", await running.MailAsync($"account-deleted-*.{person.Id}"), StringComparison.Ordinal);
        await Wait.UntilAsync(async () => (await KeyAsync(person.Id)) == (false, false), "the key is destroyed");
        await Wait.UntilAsync(async () => (await TablesWithAsync(person)).Count == 0, "no table has it");
        foreach (var file in Directory.GetFiles(running.System.Parts.Directory, "*.log")) SaysNothingOf(person, await ReadAsync(file));
    }

    [Fact]
    public async Task nor_has_anything_that_is_derived_anew_or_copied_and_all_of_it_agrees()
    {
        var person = await PersonAsync();
        Assert.Equal(204, (await ForgetAsync(person)).Status);
        foreach (var (endpoint, command) in new[] { ("Uniqueness", "verify"), ("Uniqueness", "rebuild"), ("Uniqueness", "verify"), ("Query", "audit"), ("Query", "rebuild"), ("Query", "audit") })
        {
            var (exit, output) = await running.System.RunAsync(endpoint, command);
            Assert.True(exit == 0, $"{endpoint} {command}: {output}");
            SaysNothingOf(person, output);
        }
        foreach (var disclosure in new[] { "--secrets", "--anonymous", "" })
        {
            string[] arguments = disclosure.Length > 0 ? ["export", disclosure] : ["export"];
            var (exit, output) = await running.System.RunAsync("Query", arguments);
            Assert.True(exit == 0, output);
            Assert.Contains($"{person.Id}", output, StringComparison.Ordinal);
            SaysNothingOf(person, output);
        }
        await Wait.UntilAsync(async () => (await TablesWithAsync(person)).Count == 0, "no table has it");
        using var query = running.System.Client("Query");
        Assert.Equal(("deleted", ""), Of(JsonNode.Parse(await query.GetStringAsync($"accounts/{person.Id}"))!));

        static (string?, string?) Of(JsonNode account) => ((string?)account["status"], (string?)account["email"]);
    }

    [Fact]
    public async Task the_addresses_are_free_and_the_log_knows_by_a_hash_alone_that_one_of_them_is_back()
    {
        var person = await PersonAsync();
        Assert.Equal(204, (await ForgetAsync(person)).Status);
        foreach (var email in person.Texts.Where(t => t.Contains('@', StringComparison.Ordinal))) Assert.Equal(201, (await Gateway.PostJsonAsync("/users", Body(email.ToUpperInvariant()))).Status);

        await using var command = running.System.Database.CreateCommand("""
            select count(distinct again.stream_id) from log.mt_events before join log.mt_events again
              on again.type = 'AccountCreated' and again.data #>> '{email,hash}' in (before.data #>> '{email,hash}', before.data #>> '{oldEmail,hash}', before.data #>> '{newEmail,hash}')
            where before.stream_id = $1 and again.stream_id <> before.stream_id
            """);
        command.Parameters.AddWithValue(person.Id);
        Assert.Equal(3L, await command.ExecuteScalarAsync());
        // Whoever came back is somebody else, and is not forgotten.
        Assert.Equal(person.Email.ToUpperInvariant(), (await running.System.Database.EventsAsync<Signup.EventLog.Accounts.AccountCreated>())[^2].Happened.Email);
    }

    [Fact]
    public async Task while_Mail_is_away_nobody_reads_anything_and_the_last_mail_comes_when_it_is_back()
    {
        var person = await PersonAsync();
        await running.System["Mail"].KillAsync();
        Assert.Equal(204, (await ForgetAsync(person)).Status);
        using var query = running.System.Client("Query");
        SaysNothingOf(person, await query.GetStringAsync($"accounts/{person.Id}/events"));
        Assert.Equal((true, true), await KeyAsync(person.Id));

        await running.System["Mail"].StartAsync();
        var mail = await running.MailAsync($"account-deleted-*.{person.Id}");
        Assert.Contains($"To: {person.Email}", mail, StringComparison.Ordinal);
        Assert.Contains(person.Texts[^1], mail, StringComparison.Ordinal);
        await Wait.UntilAsync(async () => (await KeyAsync(person.Id)) == (false, false), "the key is destroyed");
    }

    [Fact]
    public async Task the_page_does_the_same_for_who_wants_it_and_leaves_the_records_of_who_does_not()
    {
        foreach (var forget in new[] { true, false })
        {
            var (email, id, _) = await running.ActiveAsync();
            var session = CookieOf(await running.SignInAsync(email));
            // What was chosen is still chosen when the password was wrong.
            var fields = new Dictionary<string, string> { ["password"] = "another horse battery" };
            if (forget) fields["forget"] = "true";
            Assert.Equal(forget, (await Gateway.SubmitAsync("/account/delete", fields, session)).Text.Contains(" checked", StringComparison.Ordinal));
            fields["password"] = Password;
            var done = await Gateway.SubmitAsync("/account/delete", fields, session);
            Assert.Equal((200, forget), (done.Status, done.Text.Contains("nobody can read any more", StringComparison.Ordinal)));
            var (_, created) = (await running.System.Database.EventsAsync<Signup.EventLog.Accounts.AccountCreated>()).Single(e => e.Event.StreamId == id);
            Assert.Equal(forget ? "" : email, created.Email);
        }
    }

    /// <summary>Whether there is a key, and whether it is about to go.</summary>
    private async Task<(bool IsThere, bool IsLeaving)> KeyAsync(Guid id)
    {
        await using var command = running.System.Database.CreateCommand("select key is not null, leaving from keys.stream where id = $1");
        command.Parameters.AddWithValue(id);
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        return (reader.GetBoolean(0), reader.GetBoolean(1));
    }

    /// <summary>All tables of the database that hold any of a person's texts, in whatever column.</summary>
    private async Task<List<string>> TablesWithAsync(Person person)
    {
        var tables = new List<string>();
        await using (var all = running.System.Database.CreateCommand("""
            select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
            """))
        await using (var reader = await all.ExecuteReaderAsync())
            while (await reader.ReadAsync()) tables.Add(reader.GetString(0));
        Assert.Contains("log.mt_events", tables);
        var found = new List<string>();
        foreach (var table in tables)
        {
            await using var command = running.System.Database.CreateCommand($"select exists (select from {table} t where lower(t::text) like any ($1))");
            command.Parameters.AddWithValue(person.Texts.Select(t => $"%{t.Split('@')[0].ToLowerInvariant()}%").ToArray());
            try
            {
                if ((bool)(await command.ExecuteScalarAsync())!) found.Add(table);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable)
            {
                // Of a read model that was replaced meanwhile.
            }
        }
        return found;
    }

    /// <summary>Also while it is written.</summary>
    private static async Task<string> ReadAsync(string file)
    {
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync();
    }
}
