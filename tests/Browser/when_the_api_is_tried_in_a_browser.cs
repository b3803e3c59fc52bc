using System.Text.Json.Nodes;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Signup.Tests.Browser;

public class when_the_api_is_tried_in_a_browser(Site site)
{
    [Fact]
    public async Task somebody_signs_up_on_the_page_that_describes_it()
    {
        await using var visitor = await site.VisitAsync();
        await visitor.Page.GotoAsync("/api");
        var operation = visitor.Page.Locator(".opblock").Filter(new() { HasText = "Sign up" });
        await operation.GetByRole(AriaRole.Button).First.ClickAsync();

        await operation.GetByRole(AriaRole.Textbox).Last.FillAsync(new JsonObject { ["username"] = "Zoë", ["email"] = visitor.Email, ["password"] = Visitor.Password }.ToJsonString());
        await operation.GetByRole(AriaRole.Button, new() { Name = "Execute" }).ClickAsync();

        await Expect(operation.Locator(".live-responses-table .response-col_status").Last).ToContainTextAsync("201");
        await Expect(operation.Locator(".live-responses-table")).ToContainTextAsync(visitor.Email);
        Assert.Empty(visitor.Complaints);
    }
}
