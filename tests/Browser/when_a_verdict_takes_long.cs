using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Signup.Tests.Browser;

public class when_a_verdict_takes_long(Site site)
{
    /// <summary>All of them wait for one and the same, so that nobody waits for it four times.</summary>
    [Fact]
    public async Task each_page_says_so_and_shows_by_itself_what_has_become_of_it()
    {
        await using var holder = await site.VisitAsync();
        await holder.SignUpAsync();
        await using var corrects = await site.VisitAsync();
        await corrects.SignUpAsync();
        await corrects.ReloadUntilAsync("Check your mail", "Sent on");
        await site.ReportAsync(Guid.Parse(corrects.Page.Url.Split('/')[^1]), "bounced");
        await corrects.ReloadUntilAsync("Our mail came back", "correct it below");
        await using var withScript = await site.VisitAsync();
        await using var without = await site.VisitAsync(javaScript: false);
        await using var late = await site.VisitAsync();

        await site.System["Uniqueness"].FreezeAsync();
        try
        {
            await Task.WhenAll(SignsUpAsync(withScript, withScript.Email), SignsUpAsync(without, without.Email), SignsUpAsync(late, holder.Email), CorrectsAsync());
            await HasNoFaultAsync(withScript);
        }
        finally
        {
            await site.System["Uniqueness"].ContinueAsync();
        }

        await withScript.SeesAsync("Check your mail");
        await without.SeesAsync("Check your mail");
        await late.SeesAsync("There was an account already");
        await Expect(late.Page.GetByRole(AriaRole.Link, new() { Name = "Sign up again" })).ToBeVisibleAsync();
        await HasNoFaultAsync(late);
        await Expect(corrects.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("There is an account already with the address that you asked for");
        await Expect(corrects.Page.GetByRole(AriaRole.Textbox)).ToBeVisibleAsync();
        await HasNoFaultAsync(corrects);

        async Task CorrectsAsync()
        {
            await corrects.Page.GetByLabel("E-mail address").FillAsync(holder.Email);
            await corrects.PressAsync("Change the address");
            await Expect(corrects.Page.GetByRole(AriaRole.Status)).ToContainTextAsync("Your address is being changed");
            // A page that loads itself again has nothing to fill in.
            await Expect(corrects.Page.GetByRole(AriaRole.Textbox)).ToHaveCountAsync(0);
        }
    }

    private static async Task SignsUpAsync(Visitor visitor, string email)
    {
        await visitor.FillInAsync(email: email);
        await visitor.PressAsync("Create account");
        await visitor.SeesAsync("Your sign-up is being processed");
    }

    private static async Task HasNoFaultAsync(Visitor visitor) => Assert.Empty((await Axe.LookAtAsync(visitor.Page)).Violations.Select(v => $"{v.Id}: {v.Help}"));
}
