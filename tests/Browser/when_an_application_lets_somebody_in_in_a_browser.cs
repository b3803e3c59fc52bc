using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Signup.Tests.Browser;

public class when_an_application_lets_somebody_in_in_a_browser(Site site)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task one_signs_in_says_yes_and_is_welcome_there(bool javaScript)
    {
        await using var visitor = await site.VisitAsync(javaScript);
        await visitor.SignUpAsync();
        await visitor.ActivateAsync();
        await visitor.SeesAsync("Your account is active");

        await visitor.Page.GotoAsync(site.Application.MembersUrl);
        await visitor.SeesAsync("Sign in");
        await Expect(visitor.Page.GetByText($"To go on to {SampleApplication.Name}.")).ToBeVisibleAsync();
        await visitor.SignInAsync(password: "another horse battery");
        await Expect(visitor.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await visitor.SignInAsync();
        await visitor.SeesAsync($"Go on to {SampleApplication.Name}?");
        await Expect(visitor.Page.GetByText(visitor.Email)).ToBeVisibleAsync();
        await visitor.PressAsync("Go on");
        await visitor.SeesAsync("Welcome, Zoë");
        await Expect(visitor.Page.GetByText($"{visitor.Email}, verified: true")).ToBeVisibleAsync();

        // One stays signed in here, too.
        await visitor.Page.GotoAsync("/account");
        await visitor.SeesAsync("Your account");
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task who_says_no_is_sent_back_and_whoever_is_somebody_else_signs_in_as_that()
    {
        await using var visitor = await site.VisitAsync();
        await visitor.SignUpAsync();
        await visitor.ActivateAsync();
        await visitor.SeesAsync("Your account is active");
        await visitor.Page.GotoAsync("/sign-in");
        await visitor.SignInAsync();
        await visitor.SeesAsync("Your account");

        await visitor.Page.GotoAsync(site.Application.MembersUrl);
        await visitor.PressAsync("Cancel");
        await visitor.SeesAsync("Not let in");
        await Expect(visitor.Page.GetByText("access_denied")).ToBeVisibleAsync();

        await using var other = await site.VisitAsync();
        await other.FillInAsync(username: "Eve");
        await other.PressAsync("Create account");
        await other.SeesAsync("Check your mail");
        await other.ActivateAsync();
        await other.SeesAsync("Your account is active");
        await visitor.Page.GotoAsync(site.Application.MembersUrl);
        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Use another account" }).ClickAsync();
        await visitor.SignInAsync(other.Email);
        await visitor.PressAsync("Go on");
        await visitor.SeesAsync("Welcome, Eve");
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task one_of_the_house_asks_nobody_and_who_is_not_active_yet_is_told_so()
    {
        await using var visitor = await site.VisitAsync();
        await visitor.SignUpAsync();
        await visitor.Page.GotoAsync(site.Application.HouseUrl);
        await visitor.SignInAsync();
        await visitor.SeesAsync("Your account is not active yet");
        await visitor.ActivateAsync();
        await visitor.SeesAsync("Your account is active");

        await visitor.Page.GotoAsync(site.Application.HouseUrl);
        await visitor.SeesAsync("Welcome, Zoë");
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task it_is_said_in_german_too()
    {
        await using var visitor = await site.VisitAsync(locale: "de-DE");
        await visitor.Page.GotoAsync(site.Application.MembersUrl);
        await Expect(visitor.Page.GetByText($"Danach geht es weiter zu {SampleApplication.Name}.")).ToBeVisibleAsync();
    }
}
