using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Signup.Tests.Browser;

public class when_changing_an_account_in_a_browser(Site site)
{
    private const string Another = "another horse battery";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task name_and_password_are_others_afterwards_and_one_stays_signed_in(bool javaScript)
    {
        await using var visitor = await site.VisitAsync(javaScript);
        await using var elsewhere = await site.VisitAsync();
        await visitor.SignUpAsync();
        foreach (var browser in new[] { visitor, elsewhere })
        {
            await browser.Page.GotoAsync("/sign-in");
            await browser.SignInAsync(visitor.Email);
            await browser.SeesAsync("Your account");
        }

        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Change the user name" }).ClickAsync();
        await Expect(visitor.Page.GetByLabel("User name", new() { Exact = true })).ToHaveValueAsync("Zoë");
        await visitor.Page.GetByLabel("User name", new() { Exact = true }).FillAsync("Countess");
        await visitor.PressAsync("Change the user name");
        await visitor.SeesAsync("Your account");
        await Expect(visitor.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Your user name is changed.");
        await Expect(visitor.Page.GetByText("Countess")).ToBeVisibleAsync();

        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Change the password" }).ClickAsync();
        await visitor.ChangePasswordAsync(Another, Another);
        await Expect(visitor.Page.GetByText("This is not the password of your account.").First).ToBeVisibleAsync();
        await visitor.ChangePasswordAsync(Visitor.Password, Another);
        await visitor.SeesAsync("Your account");
        await Expect(visitor.Page.GetByRole(AriaRole.Status)).ToContainTextAsync("Your password is changed.");
        await elsewhere.Page.ReloadAsync();
        await elsewhere.SeesAsync("Sign in");
        await elsewhere.SignInAsync(visitor.Email, Another);
        await elsewhere.SeesAsync("Your account");
        Assert.Empty(visitor.Complaints);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task who_has_forgotten_the_password_gets_in_again_by_a_link_in_the_mail(bool javaScript)
    {
        await using var visitor = await site.VisitAsync(javaScript);
        await visitor.SignUpAsync();
        await visitor.Page.GotoAsync("/sign-in");
        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Forgotten your password?" }).ClickAsync();
        await visitor.Page.GetByLabel("E-mail address").FillAsync(visitor.Email);
        await visitor.PressAsync("Send me the link");
        await visitor.SeesAsync("Look into your mail");

        await visitor.OpenMailAsync(visitor.Email, "Choose another password");
        await visitor.FollowLinkInMailAsync("/password-reset");
        await visitor.Page.GetByLabel("New password", new() { Exact = true }).FillAsync(Another);
        await visitor.PressAsync("Set the password");
        await visitor.SeesAsync("Sign in");
        await Expect(visitor.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Your password is changed. Sign in with the new one.");
        await visitor.SignInAsync(password: Another);
        await visitor.SeesAsync("Your account");
        Assert.Empty(visitor.Complaints);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task the_address_is_another_once_the_link_that_goes_there_is_used(bool javaScript)
    {
        await using var visitor = await site.VisitAsync(javaScript);
        var email = "new." + visitor.Email;
        await visitor.SignUpAsync();
        await visitor.ActivateAsync();
        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in" }).ClickAsync();
        await visitor.SignInAsync();

        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Change the address" }).ClickAsync();
        await visitor.ChangeEmailAsync(email, Another);
        await Expect(visitor.Page.GetByText("This is not the password of your account.").First).ToBeVisibleAsync();
        await Expect(visitor.Page.GetByLabel("New e-mail address", new() { Exact = true })).ToHaveValueAsync(email);
        await visitor.ChangeEmailAsync(email);
        await visitor.SeesAsync("Your account");
        await Expect(visitor.Page.GetByRole(AriaRole.Status)).ToContainTextAsync("A link is on its way to the new address.");
        await Expect(visitor.Page.GetByText(visitor.Email, new() { Exact = true })).ToBeVisibleAsync();

        await visitor.OpenMailAsync(email, "Confirm your new e-mail address");
        await visitor.FollowLinkInMailAsync("/email-change");
        await visitor.SeesAsync("Confirm your new e-mail address");
        await visitor.PressAsync("Use this address");
        await visitor.SeesAsync("Your e-mail address is changed");
        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Back to your account" }).ClickAsync();
        await visitor.SeesAsync("Your account");
        await Expect(visitor.Page.GetByText(email, new() { Exact = true })).ToBeVisibleAsync();
        Assert.Empty(visitor.Complaints);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task whoever_leaves_takes_the_data_along_and_can_come_back(bool javaScript)
    {
        await using var visitor = await site.VisitAsync(javaScript);
        await visitor.SignUpAsync();
        await visitor.ActivateAsync();
        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in" }).ClickAsync();
        await visitor.SignInAsync();
        await visitor.SeesAsync("Your account");
        var download = await visitor.Page.RunAndWaitForDownloadAsync(() => visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Download your data" }).ClickAsync());
        Assert.Equal("account.json", download.SuggestedFilename);
        Assert.Contains($"\"email\": \"{visitor.Email}\"", await File.ReadAllTextAsync((await download.PathAsync())!), StringComparison.Ordinal);

        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Delete the account" }).ClickAsync();
        await visitor.SeesAsync("Delete the account");
        await visitor.DeleteAccountAsync(Another, forget: true);
        await Expect(visitor.Page.GetByText("This is not the password of your account.").First).ToBeVisibleAsync();
        await Expect(visitor.Page.GetByLabel("Forget me, too")).ToBeCheckedAsync();
        await visitor.DeleteAccountAsync();
        await visitor.SeesAsync("This account was deleted");
        await Expect(visitor.Page.GetByText("nobody can read any more whose account it was")).ToBeVisibleAsync();
        await visitor.Page.GotoAsync("/account");
        await visitor.SeesAsync("Sign in");
        await visitor.SignInAsync();
        await Expect(visitor.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();

        await visitor.Page.GotoAsync("/");
        await visitor.SignUpAsync();
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task it_is_said_in_german_too()
    {
        await using var visitor = await site.VisitAsync(locale: "de-DE");
        await visitor.Page.GotoAsync("/forgot-password");
        await visitor.SeesAsync("Passwort vergessen");
        await visitor.Page.GetByLabel("E-Mail-Adresse").FillAsync(visitor.Email);
        await visitor.PressAsync("Link senden");
        await visitor.SeesAsync("Sehen Sie in Ihre Mail");
        await Expect(visitor.Page.GetByText("Er gilt 60 Minuten lang, und nur ein Mal.")).ToBeVisibleAsync();
    }
}
