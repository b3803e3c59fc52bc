using Microsoft.Playwright;
using Signup.Tests.Fixture;
using static Microsoft.Playwright.Assertions;

namespace Signup.Tests.Browser;

/// <summary>The pages of Query, for operators.</summary>
public class when_an_operator_steps_through_an_account(Site site)
{
    [Fact]
    public async Task keys_step_through_its_events_and_show_the_state_after_each_and_what_changed()
    {
        await using var visitor = await site.VisitAsync();
        await OpenHistoryAsync(visitor);
        var page = visitor.Page;

        await page.Keyboard.PressAsync("Home");
        await visitor.SeesAsync("AccountCreated");
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "status" })).ToContainTextAsync("pending", new() { IgnoreCase = true });
        await page.Keyboard.PressAsync("ArrowRight");
        await visitor.SeesAsync("ActivationMailSent");
        await page.Keyboard.PressAsync("j");
        await visitor.SeesAsync("AccountActivated");
        var status = page.GetByRole(AriaRole.Row, new() { Name = "status" });
        await Expect(status.Locator("del")).ToHaveTextAsync("pending", new() { IgnoreCase = true });
        await Expect(status.Locator("ins")).ToHaveTextAsync("active", new() { IgnoreCase = true });
        // There is nothing behind the last.
        await page.Keyboard.PressAsync("ArrowRight");
        await visitor.SeesAsync("AccountActivated");
        await page.Keyboard.PressAsync("k");
        await visitor.SeesAsync("ActivationMailSent");
        await page.Keyboard.PressAsync("ArrowLeft");
        await visitor.SeesAsync("AccountCreated");
        await page.Keyboard.PressAsync("End");
        await visitor.SeesAsync("AccountActivated");
        await visitor.TakePictureAsync("history");

        // What is typed into a field is typed, and steps nowhere.
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("jk");
        await Expect(page.Locator("#find")).ToHaveValueAsync("jk");
        await visitor.SeesAsync("AccountActivated");
        Assert.Empty(visitor.Complaints);
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task axe_finds_nothing_to_object_to_on_any_page(ColorScheme scheme)
    {
        await using var visitor = await site.VisitAsync(scheme: scheme);
        await OpenHistoryAsync(visitor);
        var found = new List<string>();
        await LookAsync("history");
        await visitor.Page.GotoAsync(site.System.QueryUrl);
        await LookAsync("start");
        var questions = await visitor.Page.Locator("a[href^='/questions/']").EvaluateAllAsync<string[]>("links => links.map(a => a.href)");
        Assert.NotEmpty(questions);
        foreach (var question in questions)
        {
            await visitor.Page.GotoAsync(question);
            await LookAsync(question.Split('/')[^1]);
        }
        await visitor.Page.GotoAsync($"{site.System.QueryUrl}/find?q=nobody@example.org");
        await LookAsync("nothing found");

        Assert.Empty(found);
        Assert.Empty(visitor.Complaints);

        async Task LookAsync(string what)
        {
            found.AddRange(await visitor.ObjectionsAsync(what));
            await visitor.TakePictureAsync($"query-{scheme}-{what}".ToLowerInvariant());
        }
    }

    /// <summary>Signs up, follows the link in the mail, logs in at Query, and finds the account by its address once Query has all of it.</summary>
    private async Task OpenHistoryAsync(Visitor visitor)
    {
        await visitor.SignUpAsync();
        await visitor.OpenMailAsync(visitor.Email);
        await visitor.FollowLinkInMailAsync();
        await visitor.PressAsync("Activate my account");
        await visitor.SeesAsync("Your account is active");

        await visitor.Page.GotoAsync(site.System.QueryUrl);
        await visitor.Page.GetByLabel("Key").FillAsync(site.System.ApiKey);
        await visitor.PressAsync("Log in");
        await Wait.UntilAsync(async () =>
        {
            await visitor.Page.GotoAsync($"{site.System.QueryUrl}/find?q={Uri.EscapeDataString(visitor.Email)}");
            return await visitor.Page.TitleAsync() is { } title && title.Contains("3 of 3", StringComparison.Ordinal);
        }, "Query has its three events");
    }
}
