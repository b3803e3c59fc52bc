using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Signup.Tests.Browser;

public class when_signing_in_in_a_browser(Site site)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task the_account_is_shown_until_one_signs_out(bool javaScript)
    {
        await using var visitor = await site.VisitAsync(javaScript);
        await visitor.SignUpAsync();
        await visitor.Page.GotoAsync("/account");
        await visitor.SeesAsync("Sign in");

        await visitor.SignInAsync(password: "another horse battery");
        await Expect(visitor.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("No account has this e-mail address together with this password");
        await Expect(visitor.Page.GetByLabel("E-mail address")).ToHaveValueAsync(visitor.Email);
        await Expect(visitor.Page.GetByLabel("Password", new() { Exact = true })).ToHaveValueAsync("");

        await visitor.SignInAsync();
        await visitor.SeesAsync("Your account");
        await Expect(visitor.Page.GetByText(visitor.Email)).ToBeVisibleAsync();
        await Expect(visitor.Page.GetByText("Waiting for confirmation")).ToBeVisibleAsync();

        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out", Exact = true }).ClickAsync();
        await Expect(visitor.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("You are signed out.");
        await visitor.Page.GotoAsync("/account");
        await visitor.SeesAsync("Sign in");
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task who_signs_out_everywhere_is_signed_out_in_every_browser()
    {
        await using var visitor = await site.VisitAsync();
        await using var elsewhere = await site.VisitAsync();
        await visitor.SignUpAsync();
        foreach (var browser in new[] { visitor, elsewhere })
        {
            await browser.Page.GotoAsync("/");
            await browser.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in" }).ClickAsync();
            await browser.SignInAsync(visitor.Email);
            await browser.SeesAsync("Your account");
        }

        await visitor.PressAsync("Sign out everywhere");
        await Expect(visitor.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("You are signed out everywhere.");
        await elsewhere.Page.ReloadAsync();
        await elsewhere.SeesAsync("Sign in");
    }

    [Fact]
    public async Task it_is_said_in_german_too()
    {
        await using var visitor = await site.VisitAsync(locale: "de-DE");
        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Anmelden" }).ClickAsync();
        await visitor.SeesAsync("Anmelden");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Anmelden" }).ClickAsync();
        await Expect(visitor.Page.GetByText("Geben Sie ein Passwort ein.").First).ToBeVisibleAsync();
    }
}
