using System.Net.Http.Json;
using System.Text.Json.Nodes;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Tests.Integration.Gateway;
using Signup.Tests.Integration.Mail;
using Signup.Tests.Traps;
using Xunit.Sdk;
using Xunit.v3;

[assembly: AssemblyFixture(typeof(Stage))]
// Most of them take something away from the one system that all share.
[assembly: Parallelization(Mode = ParallelMode.None)]

namespace Signup.Tests.Traps;

/// <summary>Where traps are shown: the real system, which all of them share, and for the naive variants a database of their own, and queues and mails that are not ours.</summary>
public sealed class Stage : SystemWithGateway
{
    public Stage() : this(new SmtpServer())
    {
    }

    private Stage(SmtpServer smtp) : base("traps", [.. smtp.Settings.Select(s => (s.Key, s.Value)), ("Mail__Connections", "2"), ("Mail__ProbeFirst", "00:00:01"), ("Mail__ProbeCap", "00:00:01")]) => Smtp = smtp;

    public SmtpServer Smtp { get; }

    /// <summary>A second instance of Uniqueness. Accounts does not know of it.</summary>
    public SignupProcess Second { get; private set; } = null!;

    public override async ValueTask InitializeAsync()
    {
        Smtp.Start();
        await base.InitializeAsync();
        Second = System.Add("Uniqueness");
        await Second.StartAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Smtp.DisposeAsync();
    }

    // For the naive variants

    /// <summary>A database with these tables and nothing else.</summary>
    public static async Task<NpgsqlDataSource> NaiveDatabaseAsync(string tables)
    {
        var parts = await Parts.CreateAsync("naive");
        var database = NpgsqlDataSource.Create(parts.Postgres);
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync(tables);
        return database;
    }

    /// <summary>The end of a naive variant's process: nothing that it would have done afterwards is done.</summary>
    public static Task Dies() => throw new KilledException();

    /// <summary>It lives on.</summary>
    public static Task Lives() => Task.CompletedTask;

    /// <summary>Where as many as are meant to meet wait for each other.</summary>
    public static Func<Task> Meeting(int of)
    {
        var (all, here) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), 0);
        return () =>
        {
            if (Interlocked.Increment(ref here) == of) all.SetResult();
            return all.Task.WaitAsync(Wait.Deadline);
        };
    }

    /// <summary>Sends a mail to the provider that Mail sends to, too.</summary>
    public async Task SendMailAsync(string recipient)
    {
        using var message = new MimeMessage { From = { MailboxAddress.Parse("naive@example.org") }, To = { MailboxAddress.Parse(recipient) }, Subject = "Activate your account" };
        message.Body = new TextPart("plain") { Text = "Welcome!" };
        using var smtp = new SmtpClient();
        await smtp.ConnectAsync("localhost", Smtp.Port, SecureSocketOptions.None, Wait.Token);
        await smtp.SendAsync(message, Wait.Token);
        await smtp.DisconnectAsync(quit: true, Wait.Token);
    }

    // For the schedules

    /// <summary>From now on a write to this table fails, as on a full disk, until <see cref="AcceptWritesAsync"/>.</summary>
    public static async Task RefuseWritesAsync(NpgsqlDataSource database, string table)
    {
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync($"""
            create or replace function no_space_left() returns trigger language plpgsql as 'begin raise exception ''no space left''; end';
            create trigger no_space_left before insert or update on {table} for each row execute function no_space_left();
            """);
    }

    public static async Task AcceptWritesAsync(NpgsqlDataSource database, string table)
    {
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync($"drop trigger no_space_left on {table}");
    }

    public Task<HeldAppends> HoldAppendsAsync() => HeldAppends.BeginAsync(System.Database);

    /// <summary>Kills Mail when the provider has taken so many mails that hold this text, and has not said so of the last, and of those after it; then starts it again.</summary>
    /// <param name="begin">Makes them due.</param>
    public async Task KillMailAsync(int atMail, string text, Func<Task> begin)
    {
        var (count, taken, killed) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        Smtp.OnMail = async (_, mail) =>
        {
            if (!mail.Contains(text, StringComparison.Ordinal) || Interlocked.Increment(ref count) < atMail) return null;
            taken.TrySetResult();
            await killed.Task;
            throw new HangUpException();
        };
        try
        {
            await begin();
            await taken.Task.WaitAsync(Wait.Deadline);
        }
        finally
        {
            await System["Mail"].KillAsync();
            Smtp.OnMail = null;
            killed.SetResult();
            await System["Mail"].StartAsync();
        }
    }

    // The real system

    /// <summary>An address that nobody has had.</summary>
    public static string NewEmail() => $"ada.{Guid.NewGuid().ToString()[..8]}@example.org";

    public Task<Answer> SignUpAsync(string email, string username = "Ada", GatewayHttp? gateway = null, string language = "en") =>
        (gateway ?? Gateway).PostJsonAsync("/users", GatewayHttp.Body(email, username), ("Accept-Language", language));

    /// <summary>Signs up at an instance of Uniqueness itself, under this id.</summary>
    /// <returns>200, or 409: somebody has it.</returns>
    public Task<int> ProposeAsync(SignupProcess uniqueness, Guid id, string email) =>
        ProposeAsync(uniqueness, HttpMethod.Post, new { streamId = id, expectedVersion = 0, type = "AccountCreated", data = Created(email) });

    public async Task<int> ProposeAsync(SignupProcess uniqueness, HttpMethod method, object proposal)
    {
        using var http = new HttpClient { BaseAddress = new Uri(uniqueness.Url), DefaultRequestHeaders = { { Hosting.Http.ApiKey.Header, System.ApiKey } } };
        using var request = new HttpRequestMessage(method, "event") { Content = JsonContent.Create(proposal) };
        using var response = await http.SendAsync(request);
        return (int)response.StatusCode;
    }

    public static AccountCreated Created(string email) => new("Ada", email, "$argon2id$test", "en", DateTimeOffset.UtcNow);

    /// <summary>Accounts with these addresses, in the connection's transaction.</summary>
    public static Task<long[]> AppendAsync(NpgsqlConnection connection, params string[] emails) =>
        Appending.AppendAsync(connection, [.. emails.Select(e => NewEvent.Of(Guid.CreateVersion7(), 0, Created(e), Cause.None))], Wait.Token);

    /// <summary>The accounts in the log that were made with this address.</summary>
    public async Task<IReadOnlyList<Guid>> AccountsWithAsync(string email) => [.. (await System.Database.EventsAsync<AccountCreated>()).Where(e => e.Happened.Email == email).Select(e => e.Event.StreamId)];

    /// <summary>The user name in the read model of whoever has this address; null: nobody.</summary>
    public async Task<string?> ListedAsync(string email)
    {
        using var query = System.Client("Query");
        return (string?)JsonNode.Parse(await query.GetStringAsync($"accounts?email={email}"))!.AsArray().SingleOrDefault()?["username"];
    }

    public IReadOnlyList<ReceivedMail> MailsTo(string email) => [.. Smtp.Mails.Where(m => m.Recipient == email)];
}

/// <summary>A naive variant's process has ended here.</summary>
public sealed class KilledException : Exception;
