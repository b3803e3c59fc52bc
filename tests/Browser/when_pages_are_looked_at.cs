using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Signup.Tests.Browser;

public class when_pages_are_looked_at(Site site)
{
    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task axe_finds_nothing_to_object_to_on_any(ColorScheme scheme)
    {
        await using var visitor = await site.VisitAsync(scheme: scheme);
        var found = new List<string>();
        await TourAsync(visitor, async page =>
        {
            var result = await visitor.Page.RunAxe();
            Assert.NotEmpty(result.Passes);
            found.AddRange(result.Violations.Select(v => $"{page}: {v.Id}: {v.Help}: {string.Join(" | ", v.Nodes.Select(n => n.Html))}"));
        }, $"{scheme}".ToLowerInvariant());

        Assert.Empty(found);
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task nothing_has_to_be_scrolled_sideways_on_any_at_320_pixels()
    {
        await using var visitor = await site.VisitAsync(width: 320);
        var wide = new List<string>();
        await TourAsync(visitor, async page =>
        {
            var width = await visitor.Page.EvaluateAsync<int>("document.documentElement.scrollWidth");
            if (width > 320) wide.Add($"{page}: {width}");
        }, "320");

        Assert.Empty(wide);
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

    /// <summary>Goes through every page there is, and does <paramref name="look"/> on each.</summary>
    private async Task TourAsync(Visitor visitor, Func<string, Task> look, string name)
    {
        var (page, number) = (visitor.Page, 0);
        await On("form");
        await visitor.FillInAsync(email: "no address", password: "password1");
        await visitor.PressAsync("Create account");
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await On("errors");
        await visitor.SignUpAsync();
        await On("account");
        await visitor.ReloadUntilAsync("Check your mail", "Sent on");
        await site.ReportAsync(Guid.Parse(page.Url.Split('/')[^1]), "bounced");
        await visitor.ReloadUntilAsync("Our mail came back", "correct it below");
        await On("came back");
        await CorrectAsync("no address");
        await Expect(page.GetByText("Enter an e-mail address such as")).ToBeVisibleAsync();
        await On("correction");
        await CorrectAsync("new." + visitor.Email);
        // Asked for before it is sent at all, it is on its way already, and that does not count.
        await visitor.SeesAsync("Check your mail");
        await visitor.ReloadUntilAsync("Check your mail", "Sent on");
        await visitor.PressAsync("Send the mail again");
        await Expect(page.GetByRole(AriaRole.Status)).ToBeVisibleAsync();
        await On("mail again");
        await visitor.PressAsync("Send the mail again");
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await On("too often");
        await visitor.OpenMailAsync(visitor.Email);
        await On("mail");
        await page.GotoAsync("/dev/inbox");
        await On("inbox");
        await visitor.OpenMailAsync(visitor.Email);
        await visitor.FollowLinkInMailAsync();
        await visitor.SeesAsync("Activate your account");
        await On("link");
        await visitor.PressAsync("Activate my account");
        await visitor.SeesAsync("Your account is active");
        await On("active");
        await page.GetByRole(AriaRole.Link, new() { Name = "Sign in" }).ClickAsync();
        await visitor.SeesAsync("Sign in");
        await On("sign in");
        await visitor.SignInAsync("new." + visitor.Email, "another horse battery");
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await On("wrong");
        await visitor.SignInAsync("no address", "");
        await Expect(page.GetByText("Please correct 2 things")).ToBeVisibleAsync();
        await On("sign in errors");
        await visitor.SignInAsync("new." + visitor.Email);
        await visitor.SeesAsync("Your account");
        await On("own account");
        await page.GetByRole(AriaRole.Link, new() { Name = "Change the user name" }).ClickAsync();
        await visitor.SeesAsync("Change the user name");
        await On("user name");
        await page.GetByLabel("User name", new() { Exact = true }).FillAsync(" ");
        await visitor.PressAsync("Change the user name");
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await On("user name errors");
        await page.GotoAsync("/account");
        await page.GetByRole(AriaRole.Link, new() { Name = "Change the address" }).ClickAsync();
        await visitor.SeesAsync("Change the address");
        await On("address");
        await visitor.ChangeEmailAsync("no address", "");
        await Expect(page.GetByText("Please correct 2 things")).ToBeVisibleAsync();
        await On("address errors");
        var email = "other." + visitor.Email;
        await visitor.ChangeEmailAsync(email);
        await Expect(page.GetByRole(AriaRole.Status)).ToBeVisibleAsync();
        await On("link on its way");
        await visitor.OpenMailAsync(email, "Confirm your new e-mail address");
        await On("mail with the other link");
        await visitor.FollowLinkInMailAsync("/email-change");
        await visitor.SeesAsync("Confirm your new e-mail address");
        await On("confirm");
        await visitor.PressAsync("Use this address");
        await visitor.SeesAsync("Your e-mail address is changed");
        await On("address changed");
        await page.GotoAsync("/email-change?token=cut");
        await visitor.SeesAsync("This link is not valid");
        await On("bad link to an address");
        await page.GotoAsync("/account/password");
        await On("password");
        await visitor.ChangePasswordAsync("", "short");
        await Expect(page.GetByText("Please correct 2 things")).ToBeVisibleAsync();
        await On("password errors");
        await visitor.ChangePasswordAsync(Visitor.Password, "another horse battery");
        await Expect(page.GetByRole(AriaRole.Status)).ToBeVisibleAsync();
        await On("changed");
        await visitor.PressAsync("Sign out everywhere");
        await Expect(page.GetByRole(AriaRole.Status)).ToBeVisibleAsync();
        await On("signed out");
        await page.GetByRole(AriaRole.Link, new() { Name = "Forgotten your password?" }).ClickAsync();
        await visitor.SeesAsync("Forgotten password");
        await On("forgotten");
        await visitor.PressAsync("Send me the link");
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await On("forgotten errors");
        await page.GetByLabel("E-mail address").FillAsync(email);
        await visitor.PressAsync("Send me the link");
        await visitor.SeesAsync("Look into your mail");
        await On("look into your mail");
        await visitor.OpenMailAsync(visitor.Email, "Choose another password");
        await On("mail with the link");
        await visitor.FollowLinkInMailAsync("/password-reset");
        await visitor.SeesAsync("Choose another password");
        var link = page.Url;
        await On("choose");
        await page.GetByLabel("New password", new() { Exact = true }).FillAsync("short");
        await visitor.PressAsync("Set the password");
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await On("choose errors");
        await page.GetByLabel("New password", new() { Exact = true }).FillAsync("a third horse battery");
        await visitor.PressAsync("Set the password");
        await Expect(page.GetByRole(AriaRole.Status)).ToBeVisibleAsync();
        await On("chosen");
        await page.GotoAsync(link);
        await page.GetByLabel("New password", new() { Exact = true }).FillAsync("a fourth horse battery");
        await visitor.PressAsync("Set the password");
        await visitor.SeesAsync("This link is no longer valid");
        await On("used link");
        await page.GotoAsync("/sign-in");
        await visitor.SignInAsync(email, "a third horse battery");
        await visitor.SeesAsync("Your account");
        await page.GetByRole(AriaRole.Link, new() { Name = "Delete the account" }).ClickAsync();
        await visitor.SeesAsync("Delete the account");
        await On("leaving");
        await visitor.DeleteAccountAsync("");
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await On("leaving errors");
        await visitor.DeleteAccountAsync("a third horse battery");
        await visitor.SeesAsync("This account was deleted");
        await On("deleted");
        await visitor.OpenMailAsync(email, "Your account is deleted");
        await On("mail that it is deleted");
        await page.GotoAsync("/activate?token=cut");
        await On("bad link");
        await page.GotoAsync("/nowhere");
        await On("not found");

        async Task CorrectAsync(string email)
        {
            await page.GetByLabel("E-mail address").FillAsync(email);
            await visitor.PressAsync("Change the address");
        }

        async Task On(string what)
        {
            await look(what);
            // For whoever wants to see them, too.
            if (Environment.GetEnvironmentVariable("SCREENSHOTS") is { Length: > 0 } folder)
                await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-{++number:00}-{what.Replace(' ', '-')}.png"), FullPage = true });
        }
    }
}
