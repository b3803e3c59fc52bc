using System.Text;
using MimeKit;
using Signup.Hosting;
using Signup.Mail;
using static Signup.Tests.Unit.Mail.Given;

namespace Signup.Tests.Unit.Mail;

public sealed class the_mail
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly MailTemplates Templates = new(Path.Combine(AppContext.BaseDirectory, "templates"));

    private static MimeMessage? Compose(string purpose = "activation", string username = "Ada", string email = "ada@example.com", string language = "en", string publicUrl = "https://signup.example", int addressChanges = 0, int generation = 0) =>
        new MailComposer(Templates, publicUrl, "", new SignedTokens([Key], TimeProvider.System)).Compose(new Activation
        {
            AccountId = Account,
            Notice = MailKind.Of(purpose).Name is "activation" or "reminder" ? null : new Notice(Account, purpose),
            Username = username,
            Email = email,
            Language = language,
            Since = Start,
            AddressChanges = addressChanges,
            Generation = generation,
        }, purpose, Start.AddDays(7), Start);

    /// <summary>As it goes over the wire to a server that takes 8-bit text.</summary>
    private static string Wire(MimeMessage mail)
    {
        mail.Prepare(EncodingConstraint.EightBit);
        using var memory = new MemoryStream();
        mail.WriteTo(memory);
        return Encoding.UTF8.GetString(memory.ToArray());
    }

    [Theory]
    [InlineData("activation", "en")]
    [InlineData("activation", "de")]
    [InlineData("reminder-1", "en")]
    [InlineData("reminder-1", "de")]
    [InlineData("email-changed-2", "en")]
    [InlineData("email-changed-2", "de")]
    [InlineData("email-confirmation-3~wanted", "en")]
    [InlineData("email-confirmation-3~wanted", "de")]
    [InlineData("email-change-requested-3", "en")]
    [InlineData("email-change-requested-3", "de")]
    [InlineData("account-deleted-3", "en")]
    [InlineData("account-deleted-3", "de")]
    [InlineData("password-changed-3", "en")]
    [InlineData("password-changed-3", "de")]
    [InlineData("password-reset-4", "en")]
    [InlineData("password-reset-4", "de")]
    [InlineData("sign-up-again-1", "en")]
    [InlineData("sign-up-again-1", "de")]
    [InlineData("sign-up-attempted-3", "en")]
    [InlineData("sign-up-attempted-3", "de")]
    [InlineData("activation", "en", "long", "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenh")]
    [InlineData("activation", "de", "long", "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenh")]
    [InlineData("activation", "en", "rtl", "\u0641\u0627\u0637\u0645\u0629 (1)!")]
    [InlineData("activation", "de", "rtl", "\u0641\u0627\u0637\u0645\u0629 (1)!")]
    [InlineData("activation", "en", "emoji", "Zoë 👩‍👩‍👧‍👦 🦊")]
    [InlineData("activation", "de", "emoji", "Zoë 👩‍👩‍👧‍👦 🦊")]
    public void reads_as_it_was_approved(string purpose, string language, string? kind = null, string username = "Ada Lovelace")
    {
        var mail = Compose(purpose, username, language: language)!;
        var text = $"Subject: {mail.Subject}\n\n{mail.TextBody!.ReplaceLineEndings("\n")}\n----------\n{mail.HtmlBody!.ReplaceLineEndings("\n")}";
        var approved = Path.Combine(Path.GetDirectoryName(ThisFile())!, "approved", kind is null ? $"{purpose}.{language}.txt" : $"{purpose}.{kind}.{language}.txt");
        if (Environment.GetEnvironmentVariable("APPROVE") == "1") File.WriteAllText(approved, text);
        Assert.Equal(File.ReadAllText(approved), text, ignoreLineEndingDifferences: true);
    }

    private static string ThisFile([System.Runtime.CompilerServices.CallerFilePath] string path = "") => path;

    [Fact]
    public void has_the_headers_that_belong_to_a_mail_by_a_machine()
    {
        var mail = Compose()!;
        Assert.Equal($"activation.{Account}@signup.example", mail.MessageId);
        Assert.Equal("auto-generated", mail.Headers[HeaderId.AutoSubmitted]);
        Assert.Equal(Start, mail.Date);
        Assert.Equal("no-reply@signup.example", mail.From.Mailboxes.Single().Address);
        Assert.Equal("ada@example.com", mail.To.Mailboxes.Single().Address);
        Assert.Null(mail.Headers[HeaderId.ListUnsubscribe]);
        Assert.Equal(["text/plain", "text/html"], ((Multipart)mail.Body!).Select(p => p.ContentType.MimeType));
    }

    [Fact]
    public void has_the_headers_that_the_provider_is_to_have_in_one_piece_each()
    {
        string[] headers = ["X-PM-Metadata-mail: {mail}", "X-MSYS-API: {\"metadata\":{\"mail\":\"{mail}\"}}", "X-SES-CONFIGURATION-SET: signup"];
        var mail = new MailComposer(Templates, "https://signup.example", "", new SignedTokens([Key], TimeProvider.System), headers: headers)
            .Compose(new Activation { AccountId = Account, Username = "Ada", Email = "ada@example.com", Language = "en", Since = Start, AddressChanges = 1 }, "activation~1", Start.AddDays(7), Start)!;
        var lines = Wire(mail).ReplaceLineEndings("\n").Split("\n\n")[0].Replace("\n\t", " ", StringComparison.Ordinal).Replace("\n ", " ", StringComparison.Ordinal).Split('\n');
        Assert.Subset(lines.ToHashSet(), new HashSet<string>([$"X-PM-Metadata-mail: activation~1.{Account}", $"X-MSYS-API: {{\"metadata\":{{\"mail\":\"activation~1.{Account}\"}}}}", "X-SES-CONFIGURATION-SET: signup"]));
    }

    [Fact]
    public void is_recognizably_the_same_when_it_is_sent_again()
    {
        Assert.Equal(Compose()!.MessageId, Compose()!.MessageId);
        Assert.Equal(Compose()!.TextBody, Compose()!.TextBody);
        Assert.NotEqual(Compose()!.MessageId, Compose("resend-1")!.MessageId);
    }

    [Fact]
    public void is_not_kept_in_memory_when_it_was_sent()
    {
        var composer = new MailComposer(Templates, "https://signup.example", "", new SignedTokens([Key], TimeProvider.System));
        var mails = Enumerable.Range(0, 100).Select(_ => ComposeOne(composer)).ToList();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.InRange(mails.Count(m => m.IsAlive), 0, 5);
        GC.KeepAlive(composer);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference ComposeOne(MailComposer composer)
    {
        using var mail = composer.Compose(new Activation { AccountId = Account, Username = "Ada", Email = "ada@example.com", Language = "en", Since = Start }, "activation", Start.AddDays(7), Start)!;
        return new WeakReference(mail);
    }

    [Fact]
    public void holds_a_link_that_the_gateway_takes()
    {
        var tokens = new SignedTokens([Key], new At(Start.AddDays(7).AddSeconds(-1)));
        var link = Compose()!.TextBody!.Split('\n').Single(l => l.StartsWith("https://", StringComparison.Ordinal)).Trim();
        Assert.StartsWith("https://signup.example/activate?token=", link, StringComparison.Ordinal);
        Assert.Equal(TokenState.Valid, tokens.Read("activation", link.Split('=')[1], out var account));
        Assert.Equal(Account, account);
        Assert.Equal(TokenState.Expired, new SignedTokens([Key], new At(Start.AddDays(7))).Read("activation", link.Split('=')[1], out _));
    }

    [Fact]
    public void holds_a_link_for_the_address_that_it_goes_to()
    {
        var tokens = new SignedTokens([Key], new At(Start));
        int Of(MimeMessage mail) => tokens.Read("activation", mail.TextBody!.Split("token=")[1].Split('\n')[0].Trim(), out _, out var generation) == TokenState.Valid ? generation : -1;
        Assert.Equal((0, 2), (Of(Compose()!), Of(Compose("activation~2", addressChanges: 2)!)));
        Assert.Equal($"activation~2.{Account}@signup.example", Compose("activation~2", addressChanges: 2)!.MessageId);
    }

    [Theory]
    [InlineData("password-reset-4~1", "password-reset", "password reset")]
    [InlineData("email-confirmation-4~wanted", "email-change", "email change")]
    public void holds_a_link_that_dies_with_what_it_is_about(string purpose, string page, string tokenPurpose)
    {
        var mail = Compose(purpose, addressChanges: 1, generation: 3)!;
        Assert.Contains($"https://signup.example/{page}?token=", mail.TextBody, StringComparison.Ordinal);
        var token = mail.TextBody!.Split("token=")[1].Split('\n')[0].Trim();
        var tokens = new SignedTokens([Key], new At(Start));
        Assert.Equal((TokenState.Valid, Account, 3), (tokens.Read(tokenPurpose, token, out var account, out var generation), account, generation));
        // It activates nothing.
        Assert.Equal(TokenState.Invalid, tokens.Read("activation", token, out _));
        Assert.Equal(TokenState.Expired, new SignedTokens([Key], new At(Start.AddDays(7))).Read(tokenPurpose, token, out _));
    }

    [Theory]
    [InlineData("email-changed-2")]
    [InlineData("password-changed-2~1")]
    [InlineData("account-deleted-2~1")]
    [InlineData("sign-up-attempted-2~1")]
    public void has_no_link_where_it_only_tells(string purpose)
    {
        var notice = Compose(purpose)!;
        Assert.Equal($"{purpose}.{Account}@signup.example", notice.MessageId);
        foreach (var text in new[] { notice.TextBody, notice.HtmlBody }) Assert.DoesNotMatch("https?://|token|href", text!);
    }

    [Theory]
    [InlineData("https://signup.example/", "https://signup.example/activate?")]
    [InlineData("https://signup.example/app/", "https://signup.example/app/activate?")]
    [InlineData("http://127.0.0.1:5000", "http://127.0.0.1:5000/activate?")]
    [InlineData("http://[::1]:5000", "http://[::1]:5000/activate?")]
    public void leads_to_where_the_gateway_is(string publicUrl, string link)
    {
        var mail = Compose(publicUrl: publicUrl)!;
        Assert.Contains(link, mail.TextBody, StringComparison.Ordinal);
        Assert.Contains($"<activation.{Account}@", Wire(mail), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Ada\r\nBcc: eve@example.com")]
    [InlineData("Ada\nSubject: you won")]
    [InlineData("Ada\r\n\r\n<h1>new body</h1>")]
    [InlineData("Ada\u2028Bcc: eve@example.com")]
    [InlineData("Ada\0\u0085Bcc: eve@example.com")]
    public void cannot_be_given_headers_by_a_user_name(string username)
    {
        var plain = Wire(Compose()!);
        var mail = Wire(Compose(username: username)!);
        static string[] Headers(string wire) => [.. wire[..wire.IndexOf("\n\n", StringComparison.Ordinal)].Split('\n').Select(l => l.Split(':')[0])];
        Assert.Equal(Headers(plain), Headers(mail));
        Assert.Equal(plain.Split('\n').Length, mail.Split('\n').Length);
    }

    [Theory]
    [InlineData("ada@example.com\r\nRCPT TO:<eve@example.com>")]
    [InlineData("ada@example.com\0")]
    [InlineData("no address")]
    [InlineData("")]
    [InlineData("ada@example.com, eve@example.com")]
    [InlineData("Ada <ada@example.com>")]
    public void goes_to_one_address_or_to_none(string email) => Assert.Null(Compose(email: email));

    [Theory]
    [InlineData("用户@例子.example")]
    [InlineData("\"a b\"@example.com")]
    [InlineData("\"a@b\"@example.com")]
    public void goes_to_unusual_addresses_too(string email) => Assert.Equal(email, Compose(email: email)!.To.Mailboxes.Single().Address);

    [Theory]
    [InlineData("ada@münchen.example", "ada@xn--mnchen-3ya.example")]
    [InlineData("x@ja.example。org", "x@ja.example.org")]
    [InlineData("x@日本．example｡org", "x@xn--wgv71a.example.org")]
    public void names_a_domain_as_any_server_can_read_it_where_only_the_domain_is_international(string email, string address) =>
        Assert.Equal(address, Compose(email: email)!.To.Mailboxes.Single().GetAddress(idnEncode: true));

    [Theory]
    [InlineData("x@ja..日本")]
    [InlineData("x@-日本")]
    public void goes_to_no_domain_that_cannot_be(string email) => Assert.Null(Compose(email: email));

    [Fact]
    public void escapes_what_a_user_typed_in_html_and_not_in_text()
    {
        var mail = Compose(username: "<b onclick='x'>&\"Ada\"</b>")!;
        Assert.DoesNotContain("<b onclick", mail.HtmlBody, StringComparison.Ordinal);
        Assert.Contains("&lt;b onclick=&#39;x&#39;&gt;&amp;&quot;Ada", mail.HtmlBody, StringComparison.Ordinal);
        Assert.Contains("<b onclick='x'>&\"Ada\"", mail.TextBody, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://evil.example/x", "evil.example")]
    [InlineData("Free money at evil.example", "evil.example")]
    [InlineData("mail eve@evil.example", "eve@evil")]
    public void carries_no_link_that_a_user_name_brings_along(string username, string link)
    {
        var mail = Compose(username: username)!;
        Assert.DoesNotContain(link, mail.TextBody, StringComparison.Ordinal);
        Assert.DoesNotContain(link, mail.HtmlBody, StringComparison.Ordinal);
        Assert.Contains(username, mail.TextBody!.Replace("\u2060", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fr")]
    [InlineData("")]
    [InlineData("../../etc")]
    public void is_in_english_where_there_is_no_template(string language) => Assert.Equal("Activate your account", Compose(language: language)!.Subject);

    [Theory]
    [InlineData("\u202Emoc live", "moc live,")]
    [InlineData("\u2069\u202Emoc live\u2066", "moc live,")]
    public void is_not_turned_around_by_a_user_name(string username, string shown)
    {
        var text = Compose(username: username)!.TextBody!;
        Assert.StartsWith($"Hello {shown}", text, StringComparison.Ordinal);
        Assert.DoesNotMatch("[\u202A-\u202E\u2066-\u2069]", text);
    }

    [Fact]
    public void does_not_read_placeholders_in_what_a_user_typed() =>
        Assert.Contains("Hello {{link}},", Compose(username: "{{link}}")!.TextBody, StringComparison.Ordinal);

    private sealed class At(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}

public sealed class a_template : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public a_template()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "templates"), "*.en.*")) File.Copy(file, Path.Combine(_folder.FullName, Path.GetFileName(file)));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private InvalidOperationException Fails() => Assert.Throws<InvalidOperationException>(() => new MailTemplates(_folder.FullName));

    private void Edit(string file, Func<string, string> edit)
    {
        var path = Path.Combine(_folder.FullName, file);
        File.WriteAllText(path, edit(File.ReadAllText(path)));
    }

    [Fact]
    public void may_be_edited_and_come_in_a_new_language()
    {
        foreach (var kind in MailKind.All)
        {
            var (name, link) = (kind.Name, kind.Link is null ? "site" : "link");
            File.WriteAllText(Path.Combine(_folder.FullName, $"{name}.fr.txt"), $"Subject: Bonjour {{{{username}}}}\r\n\r\n{{{{ {link} }}}}\r\n");
            File.WriteAllText(Path.Combine(_folder.FullName, $"{name}.fr.html"), $"<a href=\"{{{{{link}}}}}\">ici</a>");
        }
        var template = new MailTemplates(_folder.FullName).Find("activation", "fr");
        var values = new MailValues("Ada", "https://x/", "", default);
        Assert.Equal(("Bonjour Ada", "https://x/\n"), (template.Subject.Fill(values), template.Text.Fill(values)));
    }

    [Fact]
    public void that_names_something_unknown_stops_the_start_and_is_named()
    {
        Edit("activation.en.txt", t => t + "{{pasword}}");
        Assert.Matches(@"activation\.en\.txt.*\{\{pasword\}\}", Fails().Message);
    }

    [Fact]
    public void without_a_link_stops_the_start()
    {
        Edit("reminder.en.html", t => t.Replace("{{link}}", "", StringComparison.Ordinal));
        Assert.Contains("lacks {{link}}", Fails().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void of_a_notice_with_a_link_stops_the_start()
    {
        Edit("email-changed.en.txt", t => t + "{{link}}");
        Assert.Matches(@"email-changed\.en\.txt names \{\{link\}\}, which does not exist\. There are: username, site\.", Fails().Message);
    }

    [Fact]
    public void without_a_subject_stops_the_start()
    {
        Edit("activation.en.txt", t => t["Subject: ".Length..]);
        Assert.Contains("must begin with a line 'Subject: …'", Fails().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void that_is_missing_stops_the_start()
    {
        File.Delete(Path.Combine(_folder.FullName, "reminder.en.html"));
        Assert.Contains("reminder.en.html is missing", Fails().Message, StringComparison.Ordinal);
    }
}
