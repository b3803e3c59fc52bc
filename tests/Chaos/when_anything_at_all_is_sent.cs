using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Signup.Hosting;

namespace Signup.Tests.Chaos;

[Collection("running system")]
public sealed class when_anything_at_all_is_sent(Running running)
{
    /// <summary>What has broken programs before: half characters, noncharacters, NUL, what is invisible, what changes its length when it is folded or composed.</summary>
    private static readonly string[] Nasty =
    [
        "", " ", "\0", "\ud800", "\udc00x", "\uFFFE", "\uFFFF", "\uFDD0", "\U0001FFFE", "\uFEFF", "\u180E", "\u200B", "\u202E", "\u2028", "\u00A0", "\u0130", "ß", "ﬁ", "e\u0301", "\u1100\u1161", "🦊", "\U000E007F",
        "../..", "%", "%00", "%zz", "%F6", "'; --", "<script>", "\r\nX: y", "null", "true", "-1", "9223372036854775807", "1e999", "{}", "[]", "\"", "\\", "\\ud800", "@", "a@b", "xn--", "xn--a@xn--", "[::1]", "2026-02-30", "0001-01-01T00:00:00+14:00",
    ];

    private static readonly string[] Names = ["username", "email", "password", "token", "streamId", "eventId", "expectedVersion", "type", "data", "messageId", "event", "reason", "at", "formToken", "formKey", "current", "new", "expiresAt", "authorize", "answer", "scope", "prompt"];

    private static readonly string[] Kinds = ["AccountCreated", "EmailChanged", "EmailChangeRequested", "AccountDeleted", "AccountActivated", "Nonsense"];

    private static readonly string[] ContentTypes =
    [
        "application/json; charset=utf8", "application/x-www-form-urlencoded; charset=latin1", "text/plain", "multipart/form-data", "application/json; charset=\"", "\u00E4",
    ];

    [Fact(Timeout = Run.Deadline)]
    public async Task there_is_an_answer_and_it_is_never_a_fault_of_ours()
    {
        var run = new Run();
        using HttpClient uniqueness = running.System.Client("Uniqueness"), query = running.System.Client("Query"), accounts = running.System.Client("Accounts");
        var answers = new SortedDictionary<int, int>();
        // Somebody who is signed in, two who have a link, and somebody who may leave.
        var (tokens, end) = (new SignedTokens([running.System.SigningKey], TimeProvider.System), DateTimeOffset.UtcNow.AddDays(1));
        var (id, session) = await ActiveAsync();
        var leaver = (await ActiveAsync()).Session;
        string[] links = [tokens.Issue("password reset", (await SignUpAsync()).Id, end), tokens.Issue("email change", id, end, generation: 1)];
        for (var n = 0; n < (Run.IsLong ? 10_000 : 500); n++)
        {
            var (client, method, path, body, headers) = Any(run.Random, running.Gateway, uniqueness, query, accounts, session, leaver, links);
            using var request = new HttpRequestMessage(method, new Uri(client.BaseAddress!, path));
            if (body is not null) request.Content = body;
            foreach (var (name, value) in headers)
                if (!request.Headers.TryAddWithoutValidation(name, value)) request.Content?.Headers.TryAddWithoutValidation(name, value);
            var what = $"seed {run.Seed}, request {n}: {method} {request.RequestUri} {(body is null ? "" : Convert.ToBase64String(await body.ReadAsByteArrayAsync()))} {string.Join(" | ", headers)} {body?.Headers}";
            int status;
            string text;
            try
            {
                using var response = await client.SendAsync(request).WaitAsync(Wait.Deadline);
                (status, text) = ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
            }
            catch (HttpRequestException e) when (e.Message.Contains("header", StringComparison.OrdinalIgnoreCase) || e.InnerException is FormatException)
            {
                // The client itself would not send that.
                continue;
            }
            Assert.True(status < 500, $"{what}\nwas answered {status}: {text}");
            answers[status] = answers.GetValueOrDefault(status) + 1;
            if (method != HttpMethod.Get && status is 200 or 204 && path.Split('?')[0] is "/account" or "/account/delete") leaver = (await ActiveAsync()).Session;
        }
        run.Tell(string.Join(", ", answers.Select(a => $"{a.Value} × {a.Key}")));
        await using var channel = await running.System.Broker.OpenChannelAsync(Wait.Token);
        Assert.Equal(0u, await channel.MessageCountAsync("error"));

        async Task<(Guid Id, string Session)> ActiveAsync()
        {
            var signedUp = await SignUpAsync();
            using var activated = await running.Gateway.PostAsJsonAsync("/activations", new { token = tokens.Issue("activation", signedUp.Id, end) });
            Assert.True(activated.IsSuccessStatusCode);
            return signedUp;
        }
    }

    private async Task<(Guid Id, string Session)> SignUpAsync()
    {
        var email = $"{Guid.NewGuid():N}@example.org";
        using var created = await running.Gateway.PostAsJsonAsync("/users", new { username = "Ada", email, password = "correct horse battery" });
        using var opened = await running.Gateway.PostAsJsonAsync("/sessions", new { email, password = "correct horse battery" });
        var answer = (await opened.Content.ReadFromJsonAsync<JsonNode>())!;
        return ((Guid)answer["account"]!["id"]!, (string)answer["token"]!);
    }

    private static (HttpClient, HttpMethod, string, HttpContent?, List<(string, string)>) Any(Random random, HttpClient gateway, HttpClient uniqueness, HttpClient query, HttpClient accounts, string session, string leaver, string[] links)
    {
        var id = Guid.NewGuid();
        var headers = new List<(string, string)>();
        if (random.Next(4) == 0) headers.Add((Pick(random, ["Idempotency-Key", "Accept", "Accept-Language", "Cookie", "Origin", "Authorization", "Content-Encoding", "If-Match"]), Header(random)));
        switch (random.Next(22))
        {
            case 0:
                return (query, HttpMethod.Get, $"/accounts/{id}?{Query(random, ["version", "at", "event", "x"])}", null, headers);
            case 1:
                return (query, HttpMethod.Get, $"/accounts?{Query(random, ["email", "status", "after", "limit"])}", null, headers);
            case 2:
                return random.Next(2) == 0
                    ? (query, HttpMethod.Get, $"/log?{Query(random, ["after", "limit"])}", null, headers)
                    : (query, HttpMethod.Post, Pick(random, ["/sign-in", "/sign-out"]), Body(random, Spoil(random, new() { ["key"] = "x", ["to"] = "/" })), headers);
            case 3:
                return (gateway, Pick(random, [HttpMethod.Get, HttpMethod.Head, HttpMethod.Post, HttpMethod.Delete]), $"/activate?{Query(random, ["token"])}", null, headers);
            case 4:
                return (gateway, HttpMethod.Get, $"/users/{Uri.EscapeDataString(Text(random).Replace("\ud800", "", StringComparison.Ordinal))}?{Query(random, ["since", "correction"])}", null, headers);
            case 5:
                headers.Add(("X-Api-Key", "key"));
                return (gateway, HttpMethod.Post, "/mail/events", Body(random, random.Next(4) == 0 ? Object(random) : Report(random)), headers);
            case 6 or 7:
                return (uniqueness, new HttpMethod(Pick(random, ["POST", "PATCH", "DELETE"])), "/event", Body(random, random.Next(4) == 0 ? Object(random) : Event(random, id)), headers);
            case 8:
                return (gateway, HttpMethod.Post, Pick(random, ["/activations", $"/users/{id}/activation-mail", $"/users/{id}/email", "/", "/nowhere"]), Body(random, Object(random)), headers);
            case 9:
                return (uniqueness, HttpMethod.Post, Pick(random, ["/proposals", "/proposals/rehearsal"]), Body(random, random.Next(4) == 0 ? Object(random) : new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(8) == 0 ? Value(random) : Proposal(random))])), headers);
            case 10:
                return (gateway, HttpMethod.Post, Pick(random, ["/sessions", "/sign-in", "/sign-out"]), Body(random, random.Next(3) == 0 ? Object(random) : SignUp(random)), headers);
            case 11:
                if (random.Next(2) == 0) headers.Add(Pick(random, [("Authorization", $"Bearer {Guid.NewGuid():N}{Header(random)}"), ("Cookie", $"session={Guid.NewGuid():N}{Header(random)}; device={Header(random)}")]));
                return (gateway, Pick(random, [HttpMethod.Get, HttpMethod.Delete, HttpMethod.Head]), Pick(random, ["/account", "/sessions", "/sessions/current", "/sign-in"]), null, headers);
            case 12:
                return random.Next(2) == 0
                    ? (uniqueness, HttpMethod.Get, $"/holders/{Pick(random, ["email", "email", "x", "%00"])}?{Query(random, ["value"])}", null, headers)
                    : (accounts, HttpMethod.Post, $"/sign-ins/{id}", Body(random, Spoil(random, new() { ["email"] = "a@example.org", ["passwordHash"] = "$x" })), headers);
            case 13:
                // Whoever is signed in, or says so.
                if (random.Next(2) == 0) headers.Add(("Authorization", $"Bearer {session}"));
                return (gateway, Pick(random, [HttpMethod.Put, HttpMethod.Post, HttpMethod.Get]), Pick(random, ["/account/username", "/account/password", "/account/email"]), Body(random, random.Next(3) == 0 ? Object(random)
                    : Spoil(random, new() { ["username"] = "Ada", ["current"] = "correct horse battery", ["new"] = "another horse battery", ["email"] = $"{Guid.NewGuid():N}@example.org", ["password"] = "correct horse battery" })), headers);
            case 14:
                return random.Next(4) == 0
                    ? (gateway, HttpMethod.Get, $"/password-reset?{Query(random, ["token"])}", null, headers)
                    : (gateway, Pick(random, [HttpMethod.Put, HttpMethod.Post]), Pick(random, ["/password-resets", "/password-reset", "/forgot-password"]), Body(random, random.Next(3) == 0 ? Object(random) : Spoil(random, new() { ["email"] = "a@example.org", ["token"] = Pick(random, links), ["password"] = "correct horse battery" })), headers);
            case 15:
                return random.Next(4) == 0
                    ? (gateway, HttpMethod.Get, $"/email-change?{Query(random, ["token"])}", null, headers)
                    : (gateway, HttpMethod.Post, Pick(random, ["/email-change", "/email-changes"]), Body(random, random.Next(3) == 0 ? Object(random) : Spoil(random, new() { ["token"] = Pick(random, links) })), headers);
            case 16:
                if (random.Next(4) > 0) headers.Add(("Authorization", $"Bearer {leaver}"));
                return random.Next(4) == 0
                    ? (gateway, HttpMethod.Get, Pick(random, ["/account/delete", "/account/export"]), null, headers)
                    : (gateway, Pick(random, [HttpMethod.Delete, HttpMethod.Post]), Pick(random, ["/account", "/account/delete", "/account?forget=true", $"/account?{Query(random, ["forget"])}"]), Body(random, random.Next(3) == 0 ? Object(random) : Spoil(random, new() { ["password"] = "correct horse battery" })), headers);
            case 17:
                // An application, and whoever it has sent.
                if (random.Next(2) == 0) headers.Add(("Cookie", $"session={session}"));
                return random.Next(3) == 0
                    ? (gateway, HttpMethod.Get, $"/sign-in?authorize={Encode(AsQuery(Spoil(random, Authorization(random))))}", null, headers)
                    : random.Next(3) == 0 ? (gateway, HttpMethod.Post, "/connect/authorize", Body(random, Spoil(random, Authorization(random)), 1), headers)
                    : (gateway, Pick(random, [HttpMethod.Get, HttpMethod.Head, HttpMethod.Put]), $"/connect/authorize?{AsQuery(random.Next(3) == 0 ? Authorization(random) : Spoil(random, Authorization(random)))}", null, headers);
            case 18:
                if (random.Next(3) == 0) headers.Add(("Authorization", $"{Pick(random, ["Bearer", "Basic"])} {Pick(random, [Header(random), "c2hvcDo=", session])}"));
                return random.Next(3) == 0
                    ? (gateway, Pick(random, [HttpMethod.Get, HttpMethod.Post, HttpMethod.Head]), Pick(random, ["/connect/userinfo", "/.well-known/jwks", "/.well-known/openid-configuration", "/connect/nowhere"]), null, headers)
                    : (gateway, HttpMethod.Post, Pick(random, ["/connect/token", "/connect/userinfo"]), Body(random, Spoil(random, new() { ["grant_type"] = "authorization_code", ["client_id"] = "shop", ["code"] = Header(random), ["code_verifier"] = new string('x', 43), ["redirect_uri"] = "https://shop.example/signed-in" }), 1), headers);
            default:
                return (gateway, HttpMethod.Post, "/users", Body(random, random.Next(4) == 0 ? Object(random) : SignUp(random)), headers);
        }
    }

    private static JsonObject Authorization(Random random) => new()
    {
        ["client_id"] = "shop", ["redirect_uri"] = "https://shop.example/signed-in", ["response_type"] = "code", ["scope"] = "openid email", ["state"] = Text(random), ["code_challenge"] = new string('x', 43), ["code_challenge_method"] = "S256",
        ["prompt"] = Pick(random, ["none", "login", "consent", ""]), ["max_age"] = Pick(random, ["0", "60", "-1", "99999999999999999999", ""]), ["id_token_hint"] = "", ["answer"] = "yes",
    };

    private static string AsQuery(JsonObject json) => string.Join('&', json.Select(p => $"{Encode(p.Key)}={Encode($"{p.Value}")}"));

    /// <param name="forms">One of how many is a form.</param>
    private static ByteArrayContent Body(Random random, JsonNode json, int forms = 4)
    {
        var isForm = json is JsonObject && random.Next(forms) == 0;
        var type = random.Next(12) == 0 ? Pick(random, ContentTypes) : isForm ? "application/x-www-form-urlencoded" : "application/json";
        var bytes = isForm
            ? Encoding.UTF8.GetBytes(string.Join('&', json.AsObject().Select(p => $"{p.Key}={(random.Next(8) == 0 ? Text(random) : Encode($"{p.Value}"))}")))
            : Encoding.UTF8.GetBytes(Halves(json.ToJsonString()));
        if (bytes.Length > 0 && random.Next(12) == 0) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        if (random.Next(30) == 0) bytes = bytes[..random.Next(bytes.Length + 1)];
        var content = new ByteArrayContent(bytes);
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return content;
    }

    /// <summary>JSON can say what no UTF-8 can.</summary>
    private static string Halves(string json) => json.Replace("\\uFFFD", "\\ud800", StringComparison.OrdinalIgnoreCase);

    private static string Encode(string text) => Uri.EscapeDataString(new string([.. text.Select(c => char.IsSurrogate(c) ? '\uFFFD' : c)]));

    private static JsonObject SignUp(Random random) => Spoil(random, new() { ["username"] = "guest", ["email"] = $"{Guid.NewGuid():N}@example.org", ["password"] = "correct horse battery" });

    private static JsonObject Event(Random random, Guid id)
    {
        var data = new JsonObject
        {
            ["username"] = "guest", ["email"] = $"{Guid.NewGuid():N}@example.org", ["passwordHash"] = "$x", ["language"] = "en", ["createdAt"] = "2026-11-23T10:00:00Z",
            ["oldEmail"] = "a@example.org", ["newEmail"] = "b@example.org", ["changedAt"] = "2026-11-23T10:00:00Z", ["deletedAt"] = "2026-11-23T10:00:00Z", ["forgotten"] = random.Next(2) == 0, ["expiresAt"] = "2026-11-23T10:00:00Z", ["requestedAt"] = "2026-11-23T10:00:00Z",
        };
        var e = new JsonObject { ["streamId"] = $"{id}", ["expectedVersion"] = 0, ["type"] = random.Next(2) == 0 ? Kinds[0] : Pick(random, Kinds), ["data"] = random.Next(3) == 0 ? data : Spoil(random, data) };
        return random.Next(3) == 0 ? Spoil(random, e) : e;
    }

    private static JsonObject Proposal(Random random)
    {
        var proposal = Event(random, Guid.NewGuid());
        proposal["eventId"] = $"{Guid.NewGuid()}";
        var caused = new JsonObject { ["proposal"] = proposal, ["cause"] = random.Next(3) == 0 ? Object(random) : new JsonObject { ["messageId"] = $"{Guid.NewGuid()}", ["traceParent"] = Text(random) } };
        return random.Next(4) == 0 ? Spoil(random, caused) : caused;
    }

    private static JsonObject Report(Random random) =>
        Spoil(random, new() { ["messageId"] = $"activation.{Guid.NewGuid()}", ["event"] = "bounced", ["reason"] = "mailbox-full", ["at"] = "2026-11-23T10:00:00Z" });

    /// <summary>What is right but for one thing comes further than what is wrong all over.</summary>
    private static JsonObject Spoil(Random random, JsonObject json)
    {
        var name = Pick(random, [.. json.Select(p => p.Key)]);
        switch (random.Next(8))
        {
            case 0:
                json.Remove(name);
                break;
            case 1:
                json[Text(random)] = Value(random);
                break;
            case 2 or 3:
                json[name] = Value(random);
                break;
            case 4 or 5:
                json[name] = $"{json[name]}".Insert(random.Next($"{json[name]}".Length + 1), Pick(random, Nasty));
                break;
            default:
                json[name] = $"{Text(random)}{json[name]}";
                break;
        }
        return json;
    }

    private static JsonObject Object(Random random)
    {
        var json = new JsonObject();
        for (var n = random.Next(5); n > 0; n--) json[random.Next(4) == 0 ? Text(random) : Pick(random, Names)] = Value(random);
        return json;
    }

    private static JsonNode? Value(Random random) => random.Next(7) switch
    {
        0 => null,
        1 => random.Next(2) == 0,
        2 => Pick(random, [long.MaxValue, long.MinValue, -1, 1, 1_000_000_001, random.NextInt64()]),
        3 => random.NextDouble() * 1e300,
        4 => new JsonArray(Text(random)),
        5 => new JsonObject { [Pick(random, Names)] = Text(random) },
        _ => Text(random),
    };

    private static string Query(Random random, string[] names) => string.Join('&', Enumerable.Range(0, random.Next(1, 4)).Select(_ => $"{Pick(random, names)}={(random.Next(2) == 0 ? Encode(Text(random)) : Uri.EscapeDataString(Pick(random, ["1", "2026-11-23T10:00:00Z", "ada@example.org", "active", "%00"])))}"));

    private static string Header(Random random) => new([.. Text(random).Where(c => c is >= ' ' and < '\x7f')]);

    private static string Text(Random random)
    {
        var text = new StringBuilder();
        for (var n = random.Next(4); n > 0; n--)
            text.Append(random.Next(3) switch { 0 => ((char)random.Next(0x10000)).ToString(CultureInfo.InvariantCulture), 1 => "guest", _ => Pick(random, Nasty) });
        // What compresses well would fit where this does not.
        if (random.Next(12) == 0) text.Append(Convert.ToHexString(RandomBytes(random, random.Next(3_000))));
        return text.ToString();
    }

    private static byte[] RandomBytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private static T Pick<T>(Random random, T[] from) => from[random.Next(from.Length)];
}
