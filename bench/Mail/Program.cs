// How many mails a second one endpoint sends over N connections, beside a bare MailKit loop with one connection, against the same kind of sink, in one run.
// dotnet run -c Release --project bench/Mail [mails]
using System.Globalization;
using MailKit.Net.Smtp;
using MailKit.Security;
using Marten;
using MimeKit;
using Signup.Bench.Mail;
using Signup.EventLog;
using Signup.Tests.Fixture;
using Stored = Signup.EventLog.Accounts;

var mails = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 5000;
await Bare(mails / 5); // warm up
var bare = await Bare(mails);
Console.WriteLine($"bare MailKit loop, 1 connection: {bare:F0} mails/s");
var (one, slow) = (0.0, 0.0);
foreach (var connections in new[] { 1, 2, 4 })
{
    var rate = await Endpoint(mails, connections, TimeSpan.Zero);
    if (connections == 1) one = rate / bare;
    Console.WriteLine($"endpoint, {connections} connection(s): {rate:F0} mails/s = {rate / bare:F2} × bare");
}
foreach (var connections in new[] { 1, 4, 16 })
{
    var rate = await Endpoint(mails / 10 * Math.Min(connections, 4), connections, TimeSpan.FromMilliseconds(20));
    if (connections == 1) slow = rate / 50;
    Console.WriteLine($"endpoint, provider takes 20 ms a mail, {connections} connection(s): {rate:F0} mails/s (of {connections * 50} possible)");
}

// What must not get worse, with 3,000 mails or more (fewer measure the start); measured on two cores on 2026-11-26: 0.45 and 0.85.
(string What, double Is, double AtLeast)[] checks = [("of a bare loop over one connection", one, 0.2), ("of what is possible over one connection at 20 ms a mail", slow, 0.7)];
foreach (var (what, @is, atLeast) in checks) Console.WriteLine($"{(@is >= atLeast ? "holds" : "FAILS")}: {@is:F2} {what}, at least {atLeast:F2}");
var failed = checks.Count(c => c.Is < c.AtLeast);
Console.WriteLine($"{checks.Length - failed} passed, {failed} failed");
return failed;

static async Task<double> Bare(int mails)
{
    using var sink = new Sink();
    using var client = new SmtpClient();
    await client.ConnectAsync("127.0.0.1", sink.Port, SecureSocketOptions.None);
    for (var i = 0; i < mails; i++)
    {
        using var mail = new MimeMessage { Subject = "Activate your account" };
        mail.From.Add(new MailboxAddress(null, "no-reply@signup.example"));
        mail.To.Add(new MailboxAddress(null, $"user{i}@example.com"));
        // As large as the endpoint's.
        mail.Body = new MultipartAlternative { new TextPart("plain") { Text = new string('x', 60).PadRight(500, '\n') }, new TextPart("html") { Text = string.Join('\n', Enumerable.Repeat(new string('y', 70), 20)) } };
        await client.SendAsync(mail);
    }
    await client.DisconnectAsync(true);
    return (mails - 1) / sink.Elapsed.TotalSeconds;
}

static async Task<double> Endpoint(int mails, int connections, TimeSpan pause)
{
    using var sink = new Sink(pause);
    await using var system = await SignupSystem.StartAsync("benchmail", new Dictionary<string, string>
    {
        ["Smtp__Host"] = "127.0.0.1", ["Smtp__Port"] = sink.Port.ToString(CultureInfo.InvariantCulture), ["Smtp__Security"] = "None",
        ["Mail__Connections"] = connections.ToString(CultureInfo.InvariantCulture), ["Signup__PublicUrl"] = "https://signup.example",
    }, "Mail");
    await system["Mail"].StopAsync();
    // The backlog, as if Mail had been away: accounts in the log, and the saga's rows.
    var now = DateTimeOffset.UtcNow;
    using var log = DocumentStore.For(o => LogStore.Configure(o, system.Database));
    foreach (var chunk in Enumerable.Range(0, mails).Chunk(500))
    {
        await using var session = log.LightweightSession();
        foreach (var i in chunk) session.Events.StartStream(Guid.CreateVersion7(), new Stored.AccountCreated("Ada Lovelace", $"user{i}@example.com", "$argon2id$", "en", now));
        await session.SaveChangesAsync();
    }
    await using (var fill = system.Database.CreateCommand("""
        insert into mail.activation (account_id, status, state, due, due_at)
        select stream_id, 'waiting', jsonb_build_object('accountId', stream_id, 'username', data->>'username', 'email', data->>'email', 'language', 'en', 'createdAt', data->>'createdAt'), 'mail', now()
        from log.mt_events
        """)) await fill.ExecuteNonQueryAsync();
    await system["Mail"].StartAsync();
    await Wait.UntilAsync(() => Task.FromResult(sink.Mails >= mails), "all mails are sent", TimeSpan.FromMinutes(3));
    await Wait.UntilAsync(async () =>
    {
        await using var count = system.Database.CreateCommand("select count(*) from log.mt_events where type = 'ActivationMailSent'");
        return (long)(await count.ExecuteScalarAsync())! == mails;
    }, "all mails are in the log");
    return (mails - 1) / sink.Elapsed.TotalSeconds;
}
