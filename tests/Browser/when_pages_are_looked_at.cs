using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Signup.Hosting;
using static Microsoft.Playwright.Assertions;

namespace Signup.Tests.Browser;

public class when_pages_are_looked_at(Site site)
{
    /// <summary>By day and by night, which is the same page in other colors.</summary>
    [Fact]
    public async Task axe_finds_nothing_to_object_to_on_any_and_nothing_has_to_be_scrolled_sideways_at_320_pixels()
    {
        await using var visitor = await site.VisitAsync();
        var number = 0;
        var (found, wide) = (new List<string>(), new List<string>());
        await TourAsync(visitor, LookAsync);
        await OperatorsTourAsync(visitor, LookAsync);

        Assert.Empty(found);
        Assert.Empty(wide);
        Assert.Empty(visitor.Complaints);

        async Task LookAsync(string what)
        {
            number++;
            foreach (var scheme in new[] { ColorScheme.Dark, ColorScheme.Light })
            {
                await visitor.Page.EmulateMediaAsync(new() { ColorScheme = scheme });
                var result = await Axe.LookAtAsync(visitor.Page, scheme == ColorScheme.Dark ? ["wcag2aa"] : []);
                Assert.NotEmpty(result.Passes);
                found.AddRange(result.Violations.Select(v => $"{what}, {scheme}: {v.Id}: {v.Help}: {string.Join(" | ", v.Nodes.Select(n => n.Html))}"));
                await ShowAsync($"{scheme}", what);
            }
            await visitor.Page.SetViewportSizeAsync(320, 800);
            var width = await visitor.Page.EvaluateAsync<int>("document.documentElement.scrollWidth");
            if (width > 320) wide.Add($"{what}: {width}");
            await ShowAsync("320", what);
            await visitor.Page.SetViewportSizeAsync(1200, 800);
        }

        // For whoever wants to see them, too.
        async Task ShowAsync(string name, string what)
        {
            if (Environment.GetEnvironmentVariable("SCREENSHOTS") is { Length: > 0 } folder)
                await visitor.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-{number:000}-{what}.png".Replace(' ', '-').ToLowerInvariant()), FullPage = true });
        }
    }

    [Fact]
    public async Task whatever_has_the_focus_can_be_seen_to_have_it()
    {
        await using var visitor = await site.VisitAsync();
        var names = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            await visitor.Page.Keyboard.PressAsync("Tab");
            var (name, outline) = (await visitor.Page.EvaluateAsync<string>("document.activeElement.id || document.activeElement.className || document.activeElement.tagName"),
                await visitor.Page.EvaluateAsync<string>("getComputedStyle(document.activeElement).outlineStyle + ' ' + getComputedStyle(document.activeElement).outlineWidth"));
            if (name == "BODY") break;
            names.Add(name);
            Assert.Equal("solid 3px", outline);
        }

        Assert.Equal(["skip", "brand", "username", "email", "password", "reveal", "primary", "A"], names);
    }

    /// <summary>Of Query.</summary>
    private async Task OperatorsTourAsync(Visitor visitor, Func<string, Task> on)
    {
        var page = visitor.Page;
        await page.GotoAsync(site.System.QueryUrl);
        await visitor.SeesAsync("For operators");
        await on("operators sign in");
        await SignInAsync("a guess");
        await Expect(page.Locator("#refused")).ToBeVisibleAsync();
        await on("wrong key");
        await SignInAsync(Site.OperatorsKey);
        await visitor.SeesAsync("What happened, and when");
        await on("read side");
        var questions = await page.Locator(".questions a").AllTextContentsAsync();
        Assert.NotEmpty(questions);
        foreach (var question in questions)
        {
            await page.GetByRole(AriaRole.Link, new() { Name = question, Exact = true }).ClickAsync();
            await visitor.SeesAsync(question);
            await Expect(page.GetByRole(AriaRole.Table)).ToBeVisibleAsync();
            await page.GetByText("The question in SQL").ClickAsync();
            await on(question);
            await page.GotoAsync(site.System.QueryUrl);
        }
        await page.GetByRole(AriaRole.Link, new() { Name = questions[0], Exact = true }).ClickAsync();
        await visitor.SeesAsync(questions[0]);
        await AskAsync("2000-01-02", "2000-01-01");
        await Expect(page.GetByText("The first day lies behind the last.")).ToBeVisibleAsync();
        await on("days the wrong way round");
        await AskAsync("2000-01-01", "2000-01-02");
        await Expect(page.GetByText("The first day lies behind the last.")).ToBeHiddenAsync();
        await on("days on which nothing happened");
        await FindAsync("nobody@example.org");
        await visitor.SeesAsync("Nobody found");
        await on("nobody found");
        await FindAsync("other." + visitor.Email);
        await page.GetByRole(AriaRole.Link, new() { Name = "EmailChanged" }).Last.ClickAsync();
        await visitor.SeesAsync("EmailChanged");
        await on("event");
        await page.GetByRole(AriaRole.Link, new() { Name = "First" }).ClickAsync();
        await visitor.SeesAsync("AccountCreated");
        await on("first event");
        await page.GetByLabel("As it was at").FillAsync("yesterday");
        await visitor.PressAsync("Go there");
        await Expect(page.GetByText("Write a moment such as")).ToBeVisibleAsync();
        await on("no moment");
        await page.GotoAsync("/");
        await visitor.FillInAsync(email: "other." + visitor.Email);
        await visitor.PressAsync("Create account");
        await visitor.SeesAsync("Check your mail");
        await Fixture.Wait.UntilAsync(async () =>
        {
            await page.GotoAsync(site.System.QueryUrl);
            await FindAsync("other." + visitor.Email);
            return await visitor.Heading.TextContentAsync() == "2 accounts";
        }, "both accounts are found");
        await on("two accounts");
        await page.GotoAsync($"{site.System.QueryUrl}/history/{await ForgottenAsync()}");
        // The last event may be that the mail about it was sent, which names it as its cause.
        await page.GetByRole(AriaRole.Navigation, new() { Name = "Events" }).GetByRole(AriaRole.Link, new() { Name = "AccountDeleted" }).ClickAsync();
        await visitor.SeesAsync("AccountDeleted");
        await Expect(page.GetByText("(forgotten)")).ToHaveCountAsync(3);
        await on("somebody who was forgotten");
        await visitor.PressAsync("Sign out");
        await visitor.SeesAsync("For operators");

        async Task<Guid> ForgottenAsync()
        {
            using var http = site.System.Client("Gateway");
            var email = $"{Guid.NewGuid():N}@example.org";
            var id = (Guid)(await SendAsync(HttpMethod.Post, "users", new() { ["username"] = "Zoë", ["email"] = email, ["password"] = Visitor.Password }))!["id"]!;
            var token = new SignedTokens([site.System.SigningKey], TimeProvider.System).Issue("activation", id, DateTimeOffset.UtcNow.AddDays(1));
            await SendAsync(HttpMethod.Post, "activations", new() { ["token"] = token });
            var session = await SendAsync(HttpMethod.Post, "sessions", new() { ["email"] = email, ["password"] = Visitor.Password });
            http.DefaultRequestHeaders.Authorization = new("Bearer", (string)session!["token"]!);
            await SendAsync(HttpMethod.Delete, "account?forget=true", new() { ["password"] = Visitor.Password });
            return id;

            async Task<JsonNode?> SendAsync(HttpMethod method, string path, JsonObject body)
            {
                using var request = new HttpRequestMessage(method, path) { Content = JsonContent.Create(body) };
                using var answer = await http.SendAsync(request);
                Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.NoContent, $"{path}: {answer.StatusCode}");
                return answer.StatusCode == HttpStatusCode.NoContent ? null : JsonNode.Parse(await answer.Content.ReadAsStringAsync());
            }
        }

        async Task SignInAsync(string key)
        {
            await page.GetByLabel("Your key").FillAsync(key);
            await visitor.PressAsync("Sign in");
        }

        async Task AskAsync(string from, string to)
        {
            await page.GetByLabel("From").FillAsync(from);
            await page.GetByLabel("to, inclusive").FillAsync(to);
            await visitor.PressAsync("Ask");
        }

        async Task FindAsync(string what)
        {
            await page.GetByLabel("E-mail address or account id").FillAsync(what);
            await visitor.PressAsync("Find");
        }
    }

    /// <summary>Of the gateway.</summary>
    private async Task TourAsync(Visitor visitor, Func<string, Task> on)
    {
        var page = visitor.Page;
        await on("form");
        await visitor.FillInAsync(email: "no address", password: "password1");
        await visitor.PressAsync("Create account");
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await on("errors");
        await visitor.SignUpAsync();
        await on("account");
        await visitor.ReloadUntilAsync("Check your mail", "Sent on");
        await site.ReportAsync(Guid.Parse(page.Url.Split('/')[^1]), "bounced");
        await visitor.ReloadUntilAsync("Our mail came back", "correct it below");
        await on("came back");
        await CorrectAsync("no address");
        await Expect(page.GetByText("Enter an e-mail address such as")).ToBeVisibleAsync();
        await on("correction");
        await CorrectAsync("new." + visitor.Email);
        // Asked for before it is sent at all, it is on its way already, and that does not count.
        await visitor.SeesAsync("Check your mail");
        await visitor.ReloadUntilAsync("Check your mail", "Sent on");
        await visitor.PressAsync("Send the mail again");
        await Expect(page.GetByRole(AriaRole.Status)).ToBeVisibleAsync();
        await on("mail again");
        await visitor.PressAsync("Send the mail again");
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await on("too often");
        await visitor.OpenMailAsync(visitor.Email);
        await on("mail");
        await page.GotoAsync("/dev/inbox");
        await on("inbox");
        await visitor.OpenMailAsync(visitor.Email);
        await visitor.FollowLinkInMailAsync();
        await visitor.SeesAsync("Activate your account");
        await on("link");
        await visitor.PressAsync("Activate my account");
        await visitor.SeesAsync("Your account is active");
        await on("active");
        await page.GetByRole(AriaRole.Link, new() { Name = "Sign in" }).ClickAsync();
        await visitor.SeesAsync("Sign in");
        await on("sign in");
        await visitor.SignInAsync("new." + visitor.Email, "another horse battery");
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await on("wrong");
        await visitor.SignInAsync("no address", "");
        await Expect(page.GetByText("Please correct 2 things")).ToBeVisibleAsync();
        await on("sign in errors");
        await visitor.SignInAsync("new." + visitor.Email);
        await visitor.SeesAsync("Your account");
        await on("own account");
        await page.GetByRole(AriaRole.Link, new() { Name = "Change the user name" }).ClickAsync();
        await visitor.SeesAsync("Change the user name");
        await on("user name");
        await page.GetByLabel("User name", new() { Exact = true }).FillAsync(" ");
        await visitor.PressAsync("Change the user name");
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await on("user name errors");
        await page.GotoAsync("/account");
        await page.GetByRole(AriaRole.Link, new() { Name = "Change the address" }).ClickAsync();
        await visitor.SeesAsync("Change the address");
        await on("address");
        await visitor.ChangeEmailAsync("no address", "");
        await Expect(page.GetByText("Please correct 2 things")).ToBeVisibleAsync();
        await on("address errors");
        var email = "other." + visitor.Email;
        await visitor.ChangeEmailAsync(email);
        await Expect(page.GetByRole(AriaRole.Status)).ToBeVisibleAsync();
        await on("link on its way");
        await visitor.OpenMailAsync(email, "Confirm your new e-mail address");
        await on("mail with the other link");
        await visitor.FollowLinkInMailAsync("/email-change");
        await visitor.SeesAsync("Confirm your new e-mail address");
        await on("confirm");
        await visitor.PressAsync("Use this address");
        await visitor.SeesAsync("Your e-mail address is changed");
        await on("address changed");
        await page.GotoAsync("/email-change?token=cut");
        await visitor.SeesAsync("This link is not valid");
        await on("bad link to an address");
        await page.GotoAsync("/account/password");
        await on("password");
        await visitor.ChangePasswordAsync("", "short");
        await Expect(page.GetByText("Please correct 2 things")).ToBeVisibleAsync();
        await on("password errors");
        await visitor.ChangePasswordAsync(Visitor.Password, "another horse battery");
        await Expect(page.GetByRole(AriaRole.Status)).ToBeVisibleAsync();
        await on("changed");
        await visitor.PressAsync("Sign out everywhere");
        await Expect(page.GetByRole(AriaRole.Status)).ToBeVisibleAsync();
        await on("signed out");
        await page.GetByRole(AriaRole.Link, new() { Name = "Forgotten your password?" }).ClickAsync();
        await visitor.SeesAsync("Forgotten password");
        await on("forgotten");
        await visitor.PressAsync("Send me the link");
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await on("forgotten errors");
        await page.GetByLabel("E-mail address").FillAsync(email);
        await visitor.PressAsync("Send me the link");
        await visitor.SeesAsync("Look into your mail");
        await on("look into your mail");
        await visitor.OpenMailAsync(visitor.Email, "Choose another password");
        await on("mail with the link");
        await visitor.FollowLinkInMailAsync("/password-reset");
        await visitor.SeesAsync("Choose another password");
        var link = page.Url;
        await on("choose");
        await page.GetByLabel("New password", new() { Exact = true }).FillAsync("short");
        await visitor.PressAsync("Set the password");
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await on("choose errors");
        await page.GetByLabel("New password", new() { Exact = true }).FillAsync("a third horse battery");
        await visitor.PressAsync("Set the password");
        await Expect(page.GetByRole(AriaRole.Status)).ToBeVisibleAsync();
        await on("chosen");
        await page.GotoAsync(link);
        await page.GetByLabel("New password", new() { Exact = true }).FillAsync("a fourth horse battery");
        await visitor.PressAsync("Set the password");
        await visitor.SeesAsync("This link is no longer valid");
        await on("used link");
        await page.GotoAsync(site.Application.MembersUrl);
        await visitor.SeesAsync("Sign in");
        await on("sign in for an application");
        await visitor.SignInAsync(email, "a third horse battery");
        await visitor.SeesAsync($"Go on to {SampleApplication.Name}?");
        await on("go on to an application");
        await page.GotoAsync("/connect/authorize?client_id=nobody");
        await visitor.SeesAsync("This application cannot let you in");
        await on("application with a fault");
        await page.GetByRole(AriaRole.Link, new() { Name = "Back to your account" }).ClickAsync();
        await visitor.SeesAsync("Your account");
        await page.GetByRole(AriaRole.Link, new() { Name = "Delete the account" }).ClickAsync();
        await visitor.SeesAsync("Delete the account");
        await on("leaving");
        await visitor.DeleteAccountAsync("", forget: true);
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await on("leaving errors");
        await page.GetByLabel("Forget me, too").UncheckAsync();
        await visitor.DeleteAccountAsync("a third horse battery");
        await visitor.SeesAsync("This account was deleted");
        await on("deleted");
        await visitor.OpenMailAsync(email, "Your account is deleted");
        await on("mail that it is deleted");
        await page.GotoAsync(await site.HidingUrlAsync());
        await visitor.FillInAsync();
        await visitor.PressAsync("Create account");
        await Expect(page.GetByText("says how to go on")).ToBeVisibleAsync();
        await on("by mail");
        await page.GotoAsync($"{await site.HidingUrlAsync()}/sign-in");
        await visitor.SignInAsync();
        await Expect(page.GetByText("first open the link in our mail")).ToBeVisibleAsync();
        await on("not active yet");
        await page.GotoAsync("/activate?token=cut");
        await on("bad link");
        await page.GotoAsync("/nowhere");
        await on("not found");

        async Task CorrectAsync(string email)
        {
            await page.GetByLabel("E-mail address").FillAsync(email);
            await visitor.PressAsync("Change the address");
        }
    }
}
