using Microsoft.Playwright;
using Signup.Tests.Fixture;
using static Microsoft.Playwright.Assertions;

namespace Signup.Tests.Browser;

public class when_an_operator_looks_at_the_system(Site site)
{
    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task axe_finds_nothing_to_object_to_on_any_page(ColorScheme scheme)
    {
        await using var visitor = await site.VisitAsync(scheme: scheme);
        var found = new List<string>();
        await TourAsync(visitor, async page => found.AddRange(await visitor.ObjectionsAsync(page)), $"ops-{scheme}".ToLowerInvariant());

        Assert.Empty(found);
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task nothing_has_to_be_scrolled_sideways_on_any_page_at_320_pixels()
    {
        await using var visitor = await site.VisitAsync(width: 320);
        var wide = new List<string>();
        await TourAsync(visitor, async page =>
        {
            var width = await visitor.Page.EvaluateAsync<int>("document.documentElement.scrollWidth");
            if (width > 320) wide.Add($"{page}: {width}");
        }, "ops-320");

        Assert.Empty(wide);
    }

    [Fact]
    public async Task the_overview_renews_itself_without_a_script()
    {
        await using var visitor = await site.VisitAsync(javaScript: false);
        await visitor.Page.GotoAsync("/ops");
        await SignInAsync(visitor, Site.OpsKey);
        var time = visitor.Page.GetByText("renewed every 5 s");
        var before = await time.TextContentAsync();

        await Expect(time).Not.ToHaveTextAsync(before!, new() { Timeout = 60_000 });
    }

    /// <summary>Goes through every page under <c>/ops</c>, and does <paramref name="look"/> on each.</summary>
    private async Task TourAsync(Visitor visitor, Func<string, Task> look, string name)
    {
        var (page, number) = (visitor.Page, 0);
        await page.RouteAsync("**/ops", StandStillAsync);
        await page.GotoAsync("/ops");
        await visitor.SeesAsync("Operations");
        await On("sign in");
        await SignInAsync(visitor, "a guess", signedIn: false);
        await Expect(page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("That is not the key.");
        await On("refused");
        await SignInAsync(visitor, Site.OpsKey);
        await OverviewAsync(visitor, "All is well");
        await On("at rest");

        await site.FailAsync();
        await OverviewAsync(visitor, "1 failed message");
        await On("with a failed message");
        await page.GetByRole(AriaRole.Link, new() { Name = "SignUp", Exact = true }).ClickAsync();
        await visitor.SeesAsync("Signup.Messages.Accounts.SignUp");
        await On("failed message");
        await page.GetByText("Stack trace").ClickAsync();
        await Expect(page.GetByText("SignUpHandler")).ToBeVisibleAsync();
        await On("stack trace");

        // The next tour begins at rest, too.
        await page.GetByLabel("Reason").FillAsync("sent by a test");
        await visitor.PressAsync("Discard for good");
        await Expect(visitor.Heading).Not.ToHaveTextAsync("Signup.Messages.Accounts.SignUp");
        await OverviewAsync(visitor, "All is well");

        async Task On(string what)
        {
            await look(what);
            await visitor.TakePictureAsync($"{name}-{++number:00}-{what}");
        }
    }

    private static async Task SignInAsync(Visitor visitor, string key, bool signedIn = true)
    {
        await visitor.Page.GetByLabel("Your name").FillAsync("Zoë");
        await visitor.Page.GetByLabel("Key", new() { Exact = true }).FillAsync(key);
        await visitor.PressAsync("Sign in");
        if (signedIn) await Expect(visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" })).ToBeVisibleAsync();
    }

    /// <summary>Opens the overview until it says so: what happened shows there a little later.</summary>
    private static Task OverviewAsync(Visitor visitor, string heading) => Wait.UntilAsync(async () =>
    {
        try
        {
            await visitor.Page.GotoAsync("/ops");
            return await visitor.Heading.TextContentAsync() == heading;
        }
        catch (PlaywrightException)
        {
            // It has just begun to renew itself.
            return false;
        }
    }, $"the overview says: {heading}");

    /// <summary>The overview loads itself again every five seconds, which must not happen while axe is at it. (Axe objects to pages that do, for their
    /// reader may be slower; but this one says what is the case now, and every act has a page that stands still.)</summary>
    private static async Task StandStillAsync(IRoute route)
    {
        var answer = await route.FetchAsync();
        await route.FulfillAsync(new()
        {
            Response = answer,
            Body = (await answer.TextAsync()).Replace("http-equiv=\"refresh\"", "http-equiv=\"x-still\"", StringComparison.Ordinal),
        });
    }
}
