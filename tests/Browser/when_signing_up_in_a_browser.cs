using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Signup.EventLog.Accounts;
using static Microsoft.Playwright.Assertions;

namespace Signup.Tests.Browser;

public class when_signing_up_in_a_browser(Site site)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task the_form_the_mail_the_link_and_the_button_make_an_active_account(bool javaScript)
    {
        await using var visitor = await site.VisitAsync(javaScript);

        await visitor.SignUpAsync();
        var account = visitor.Page.Url;
        await Expect(visitor.Page.GetByText(visitor.Email)).ToBeVisibleAsync();
        await Expect(visitor.Page.GetByText("Waiting for confirmation")).ToBeVisibleAsync();

        await visitor.OpenMailAsync(visitor.Email);
        await visitor.FollowLinkInMailAsync();
        await visitor.SeesAsync("Activate your account");
        Assert.Equal("pending", await StatusAsync(account));

        await visitor.PressAsync("Activate my account");
        await visitor.SeesAsync("Your account is active");
        await Wait.UntilAsync(async () => await StatusAsync(account) == "active", "the read model shows it active");
        await visitor.Page.GotoAsync(account);
        await visitor.SeesAsync("Your account is active");
        await Expect(visitor.Page.GetByText(visitor.Email)).ToBeVisibleAsync();
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task where_taken_addresses_are_hidden_the_page_sends_everybody_to_their_mail_and_that_says_the_rest()
    {
        await using var visitor = await site.VisitAsync(javaScript: false);
        var account = Guid.Parse((await SignUpAsync()).Split('/')[^1]);
        await visitor.OpenMailAsync(visitor.Email, "Activate your account");
        await site.System.ActivationMailSentAsync(account);

        Assert.NotEqual($"{account}", (await SignUpAsync()).Split('/')[^1]);
        await visitor.OpenMailAsync(visitor.Email, "You have signed up already");
        await visitor.FollowLinkInMailAsync();
        await visitor.PressAsync("Activate my account");
        await visitor.SeesAsync("Your account is active");

        await SignUpAsync();
        await visitor.OpenMailAsync(visitor.Email, "You have an account already");
        Assert.Empty(visitor.Complaints);

        // Where it leads.
        async Task<string> SignUpAsync()
        {
            await visitor.Page.GotoAsync(await site.HidingUrlAsync());
            await visitor.SignUpAsync();
            await Expect(visitor.Page.GetByText("A mail to the address that you gave says how to go on.")).ToBeVisibleAsync();
            return visitor.Page.Url;
        }
    }

    [Theory]
    [InlineData("mailbox-unavailable", "Our mail could not be delivered", "Please check the address.")]
    [InlineData("provider-refused", "Our mail could not be delivered", "This is not your mistake")]
    [InlineData("unconfirmed", "Our mail may not have reached you", "we cannot tell whether it arrived")]
    public async Task of_a_mail_that_failed_the_page_says_whose_fault_it_is_and_does_not_send_anybody_to_their_inbox(string reason, string heading, string text)
    {
        await using var visitor = await site.VisitAsync();
        await visitor.SignUpAsync();
        var account = visitor.Page.Url;
        // The first mail's own fact comes first.
        await ReloadUntilAsync(async () => await visitor.Page.GetByText("Sent on").CountAsync() == 1);
        await site.AppendAsync(Guid.Parse(account.Split('/')[^1]), new ActivationMailFailed("reminder-1", reason, DateTimeOffset.UtcNow));
        await ReloadUntilAsync(async () => await visitor.Heading.TextContentAsync() == heading);

        await Expect(visitor.Page.GetByText(text)).ToBeVisibleAsync();
        await Expect(visitor.Page.GetByText("Check your mail")).ToHaveCountAsync(0);
        await Expect(visitor.Page.GetByText("No mail?")).ToHaveCountAsync(0);
        await Expect(visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Send the mail again" })).ToBeVisibleAsync();

        Task ReloadUntilAsync(Func<Task<bool>> shows) => Wait.UntilAsync(async () =>
        {
            await visitor.Page.ReloadAsync();
            return await shows();
        }, "the page says so");
    }

    [Fact]
    public async Task of_a_mail_that_came_back_the_page_says_so_and_the_address_is_corrected_there()
    {
        await using var visitor = await site.VisitAsync(javaScript: false);
        await using var other = await site.VisitAsync();
        await other.SignUpAsync();
        await visitor.SignUpAsync();
        var account = visitor.Page.Url;
        await visitor.ReloadUntilAsync("Check your mail", "Sent on");
        await site.ReportAsync(Guid.Parse(account.Split('/')[^1]), "bounced");
        await visitor.ReloadUntilAsync("Our mail came back", "correct it below");

        await ChangeToAsync("no address");
        await Expect(visitor.Page.GetByText("Enter an e-mail address such as")).ToBeVisibleAsync();
        await Expect(visitor.Page.GetByLabel("E-mail address")).ToHaveValueAsync("no address");
        await Expect(visitor.Page.GetByLabel("E-mail address")).ToBeFocusedAsync();
        await ChangeToAsync(other.Email);
        await Expect(visitor.Page.GetByText("There is an account with this e-mail address already")).ToBeVisibleAsync();
        await ChangeToAsync("new." + visitor.Email);
        await visitor.SeesAsync("Check your mail");
        Assert.Equal(account, visitor.Page.Url);
        await Expect(visitor.Page.GetByText("new." + visitor.Email)).ToBeVisibleAsync();

        await visitor.OpenMailAsync("new." + visitor.Email);
        await visitor.FollowLinkInMailAsync();
        await visitor.PressAsync("Activate my account");
        await visitor.SeesAsync("Your account is active");
        Assert.Empty(visitor.Complaints);

        async Task ChangeToAsync(string email)
        {
            await visitor.Page.GetByLabel("E-mail address").FillAsync(email);
            await visitor.PressAsync("Change the address");
        }
    }

    [Fact]
    public async Task the_account_is_shown_to_the_browser_that_signed_up_only()
    {
        await using var visitor = await site.VisitAsync();
        await using var stranger = await site.VisitAsync();
        await visitor.SignUpAsync();

        await stranger.Page.GotoAsync(visitor.Page.Url);

        await stranger.SeesAsync("Not found");
        await Expect(stranger.Page.GetByText(visitor.Email)).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task reloading_the_page_after_it_sends_nothing_again()
    {
        await using var visitor = await site.VisitAsync();
        await visitor.SignUpAsync();
        var sent = new List<string>();
        visitor.Page.Request += (_, request) => sent.Add(request.Method);

        await visitor.Page.ReloadAsync();

        await visitor.SeesAsync("Check your mail");
        Assert.NotEmpty(sent);
        Assert.DoesNotContain("POST", sent);
        Assert.Equal(1, await AccountsOfAsync(visitor.Email));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task two_clicks_on_the_button_are_one_sign_up(bool javaScript)
    {
        await using var visitor = await site.VisitAsync(javaScript);
        var (posts, mirrored) = (0, 0);
        // Slow enough for two clicks.
        await visitor.Page.RouteAsync("**/", async route =>
        {
            if (route.Request.Method == "POST" && Interlocked.Increment(ref posts) == 1)
            {
                using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false });
                using var first = new HttpRequestMessage(HttpMethod.Post, route.Request.Url) { Content = new StringContent(route.Request.PostData!, null, "application/x-www-form-urlencoded") };
                first.Headers.Add("Cookie", await route.Request.HeaderValueAsync("cookie"));
                using var answer = await client.SendAsync(first);
                if (answer.StatusCode == System.Net.HttpStatusCode.SeeOther) mirrored++;
            }
            // The browser's own follows the one that has just been answered: the server gets the same form twice.
            await route.ContinueAsync();
        });

        await visitor.SignUpAsync();

        // The server has answered both, and made one account.
        Assert.Equal((1, 1), (posts, mirrored));
        Assert.Equal(1, await AccountsOfAsync(visitor.Email));
    }

    [Fact]
    public async Task the_form_sent_again_after_going_back_shows_the_same_account()
    {
        await using var visitor = await site.VisitAsync(javaScript: false);
        await visitor.SignUpAsync();
        var account = visitor.Page.Url;

        await visitor.Page.GoBackAsync();
        await visitor.FillInAsync();
        await visitor.PressAsync("Create account");

        // The form is new after going back, as it must not be kept; so the address is taken, by oneself.
        await Expect(visitor.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("There is an account with this e-mail address already");
        await visitor.Page.GotoAsync(account);
        await visitor.SeesAsync("Check your mail");
    }

    [Fact]
    public async Task the_mail_can_be_sent_again_once_a_minute()
    {
        await using var visitor = await site.VisitAsync();
        await visitor.SignUpAsync();
        // Asked for again before Mail has said that it was sent, which is later than it lies in the mailbox, it would come once.
        await visitor.ReloadUntilAsync("Check your mail", "Sent on");
        Assert.Equal(1, MailsTo(visitor.Email));

        await visitor.PressAsync("Send the mail again");
        await Expect(visitor.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("We are sending the mail again.");
        await Wait.UntilAsync(() => Task.FromResult(MailsTo(visitor.Email) == 2), "two mails");

        await visitor.PressAsync("Send the mail again");
        await Expect(visitor.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("You can ask for it again in");
    }

    [Fact]
    public async Task whoever_prefers_german_gets_pages_and_mail_in_german()
    {
        await using var visitor = await site.VisitAsync(locale: "de-DE");
        await visitor.SeesAsync("Konto anlegen");
        await visitor.Page.GetByLabel("Benutzername").FillAsync("Zoë");
        await visitor.Page.GetByLabel("E-Mail-Adresse").FillAsync(visitor.Email);
        await visitor.Page.GetByLabel("Passwort", new() { Exact = true }).FillAsync(Visitor.Password);
        await visitor.PressAsync("Konto anlegen");
        await visitor.SeesAsync("Sehen Sie in Ihr Postfach");

        await visitor.OpenMailAsync(visitor.Email);

        await Expect(visitor.Heading).ToContainTextAsync("Konto");
    }

    [Fact]
    public async Task a_link_that_was_cut_off_says_what_to_do()
    {
        await using var visitor = await site.VisitAsync();
        await visitor.SignUpAsync();
        await visitor.OpenMailAsync(visitor.Email);
        await visitor.FollowLinkInMailAsync();

        await visitor.Page.GotoAsync(visitor.Page.Url[..^5]);

        await visitor.SeesAsync("This link is not valid");
    }

    private int MailsTo(string email) => Directory.GetFiles(site.System.MailPickup, "*.eml").Count(f => File.ReadAllText(f).Contains(email, StringComparison.OrdinalIgnoreCase));

    /// <summary>How many accounts the log has for an address.</summary>
    private async Task<long> AccountsOfAsync(string email) => (await site.System.Database.EventsAsync<AccountCreated>()).Count(e => e.Happened.Email.Equals(email, StringComparison.OrdinalIgnoreCase));

    private async Task<string?> StatusAsync(string accountUrl)
    {
        using var query = site.System.Client("Query");
        return (string?)(await query.GetFromJsonAsync<JsonObject>($"accounts/{accountUrl.Split('/')[^1]}"))?["status"];
    }
}
