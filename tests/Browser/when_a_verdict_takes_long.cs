using Deque.AxeCore.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Signup.Tests.Browser;

public class when_a_verdict_takes_long(Site site)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task the_page_says_so_and_shows_by_itself_what_has_become_of_it(bool javaScript)
    {
        await using var visitor = await site.VisitAsync(javaScript);
        await WhileUniquenessHangsAsync(async () =>
        {
            await visitor.FillInAsync();
            await visitor.PressAsync("Create account");
            await visitor.SeesAsync("Your sign-up is being processed");
            if (javaScript) Assert.Empty((await visitor.Page.RunAxe()).Violations.Select(v => $"{v.Id}: {v.Help}"));
        });

        await visitor.SeesAsync("Check your mail");
    }

    [Fact]
    public async Task a_refusal_that_comes_late_is_shown_too()
    {
        await using var first = await site.VisitAsync();
        await first.SignUpAsync();
        await using var second = await site.VisitAsync();
        await WhileUniquenessHangsAsync(async () =>
        {
            await second.FillInAsync(email: first.Email);
            await second.PressAsync("Create account");
            await second.SeesAsync("Your sign-up is being processed");
            // Whichever gateway took it: this one is gone.
            await site.System["Gateway"].KillAsync();
            await site.System["Gateway"].StartAsync();
        });

        await second.ReloadUntilAsync("There was an account already", "Use another address");
        await Expect(second.Page.GetByRole(Microsoft.Playwright.AriaRole.Link, new() { Name = "Sign up again" })).ToBeVisibleAsync();
        Assert.Empty((await second.Page.RunAxe()).Violations.Select(v => $"{v.Id}: {v.Help}"));
    }

    [Fact]
    public async Task so_is_a_correction_of_the_address_that_is_refused_late()
    {
        await using var first = await site.VisitAsync();
        await first.SignUpAsync();
        await using var second = await site.VisitAsync();
        await second.SignUpAsync();
        await second.ReloadUntilAsync("Check your mail", "Sent on");
        await site.ReportAsync(Guid.Parse(second.Page.Url.Split('/')[^1]), "bounced");
        await second.ReloadUntilAsync("Our mail came back", "correct it below");
        await WhileUniquenessHangsAsync(async () =>
        {
            await second.Page.GetByLabel("E-mail address").FillAsync(first.Email);
            await second.PressAsync("Change the address");
            await Expect(second.Page.GetByRole(Microsoft.Playwright.AriaRole.Status)).ToContainTextAsync("Your address is being changed");
        });

        await Expect(second.Page.GetByRole(Microsoft.Playwright.AriaRole.Alert)).ToContainTextAsync("There is an account already with the address that you asked for");
        Assert.Empty((await second.Page.RunAxe()).Violations.Select(v => $"{v.Id}: {v.Help}"));
    }

    private async Task WhileUniquenessHangsAsync(Func<Task> act)
    {
        await site.System["Uniqueness"].FreezeAsync();
        try
        {
            await act();
        }
        finally
        {
            await site.System["Uniqueness"].ContinueAsync();
        }
    }
}
