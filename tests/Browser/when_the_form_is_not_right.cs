using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Signup.Tests.Browser;

public class when_the_form_is_not_right(Site site)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task each_error_is_tied_to_its_field_and_all_that_was_typed_is_kept_but_the_password(bool javaScript)
    {
        await using var visitor = await site.VisitAsync(javaScript);
        await visitor.FillInAsync(email: "zoe at example", username: "Zoë <b>", password: "password1");
        await visitor.PressAsync("Create account");

        var (name, email, password) = Fields(visitor);
        await Expect(name).ToHaveValueAsync("Zoë <b>");
        await Expect(name).Not.ToHaveAttributeAsync("aria-invalid", "true");
        await Expect(email).ToHaveValueAsync("zoe at example");
        await Expect(email).ToHaveAttributeAsync("aria-invalid", "true");
        await Expect(email).ToHaveAccessibleDescriptionAsync("Enter an e-mail address such as name@example.com. We send the activation link there.");
        await Expect(password).ToHaveValueAsync("");
        await Expect(password).ToHaveAccessibleDescriptionAsync(new System.Text.RegularExpressions.Regex("^This password is among the first that attackers try"));
        Assert.StartsWith("Error: ", await visitor.Page.TitleAsync(), StringComparison.Ordinal);
        Assert.Empty(visitor.Complaints);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task the_summary_has_the_focus_and_leads_to_each_field(bool javaScript)
    {
        await using var visitor = await site.VisitAsync(javaScript);
        await visitor.PressAsync("Create account");

        await Expect(visitor.Page.GetByRole(AriaRole.Alert)).ToBeFocusedAsync();
        await Expect(visitor.Page.GetByRole(AriaRole.Alert).GetByRole(AriaRole.Link)).ToHaveTextAsync(["Enter a user name.", "Enter your e-mail address.", "Enter a password."]);
        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Enter a password." }).ClickAsync();
        await Expect(Fields(visitor).Password).ToBeFocusedAsync();
    }

    [Fact]
    public async Task a_taken_address_is_said_at_the_address()
    {
        await using var first = await site.VisitAsync();
        await first.SignUpAsync();
        await using var second = await site.VisitAsync();

        await second.FillInAsync(email: first.Email.ToUpperInvariant());
        await second.PressAsync("Create account");

        await Expect(Fields(second).Email).ToHaveAccessibleDescriptionAsync(new System.Text.RegularExpressions.Regex("^There is an account with this e-mail address already"));
        await Expect(Fields(second).Email).ToHaveValueAsync(first.Email.ToUpperInvariant());
    }

    [Fact]
    public async Task a_corrected_form_goes_through()
    {
        await using var visitor = await site.VisitAsync();
        await visitor.FillInAsync(password: "short");
        await visitor.PressAsync("Create account");
        await Expect(visitor.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();

        await visitor.SignUpAsync();
    }

    [Fact]
    public async Task a_browser_without_cookies_is_told_so_and_keeps_what_was_typed()
    {
        await using var visitor = await site.VisitAsync();
        await visitor.FillInAsync();
        await visitor.Page.Context.ClearCookiesAsync();
        await visitor.PressAsync("Create account");

        await Expect(visitor.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Please allow cookies");
        await Expect(Fields(visitor).Email).ToHaveValueAsync(visitor.Email);
        await visitor.SignUpAsync();
    }

    [Fact]
    public async Task the_password_can_be_shown_and_hidden()
    {
        await using var visitor = await site.VisitAsync();
        var password = Fields(visitor).Password;
        await password.FillAsync(Visitor.Password);

        await visitor.PressAsync("Show: Password");
        await Expect(password).ToHaveAttributeAsync("type", "text");
        await visitor.PressAsync("Hide: Password");
        await Expect(password).ToHaveAttributeAsync("type", "password");
    }

    [Fact]
    public async Task the_keyboard_alone_is_enough()
    {
        await using var visitor = await site.VisitAsync();
        var keyboard = visitor.Page.Keyboard;
        await keyboard.PressAsync("Tab");
        await Expect(visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Skip to content" })).ToBeFocusedAsync();
        await keyboard.PressAsync("Enter");
        foreach (var text in new[] { "Zoë", visitor.Email, Visitor.Password })
        {
            await keyboard.PressAsync("Tab");
            await keyboard.TypeAsync(text);
        }
        await keyboard.PressAsync("Enter");

        await visitor.SeesAsync("Check your mail");
    }

    [Fact]
    public async Task every_field_says_to_the_browser_what_belongs_there()
    {
        await using var visitor = await site.VisitAsync();
        var (name, email, password) = Fields(visitor);
        await Expect(name).ToHaveAttributeAsync("autocomplete", "username");
        await Expect(email).ToHaveAttributeAsync("autocomplete", "email");
        await Expect(email).ToHaveAttributeAsync("inputmode", "email");
        await Expect(password).ToHaveAttributeAsync("autocomplete", "new-password");
    }

    private static (ILocator Username, ILocator Email, ILocator Password) Fields(Visitor visitor) =>
        (visitor.Page.GetByLabel("User name", new() { Exact = true }), visitor.Page.GetByLabel("E-mail address"), visitor.Page.GetByLabel("Password", new() { Exact = true }));
}
