using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Signup.Tests.Browser;

/// <summary>Someone who uses the pages, as people do: by what they read on them.</summary>
public sealed class Visitor : IAsyncDisposable
{
    public const string Password = "correct horse battery";

    private readonly IBrowserContext _context;

    public Visitor(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.SetDefaultTimeout(30_000);
        page.Console += (_, message) =>
        {
            // A page that answers 400 or 404 is logged as an error, though all is well with it.
            if (message.Type == "error" && !message.Text.StartsWith("Failed to load resource: the server responded", StringComparison.Ordinal)) Complaints.Add(message.Text);
        };
        page.PageError += (_, error) => Complaints.Add(error);
        Email = $"Zoë.{Guid.NewGuid():N}@example.org".Replace("ë", "e", StringComparison.Ordinal);
    }

    public IPage Page { get; }

    /// <summary>An address that nobody else has.</summary>
    public string Email { get; }

    /// <summary>What the browser finds wrong with pages: scripts that fail, content that the policy forbids.</summary>
    public List<string> Complaints { get; } = [];

    public ILocator Heading => Page.GetByRole(AriaRole.Heading, new() { Level = 1 });

    public async Task FillInAsync(string? email = null, string username = "Zoë", string password = Password)
    {
        await Page.GetByLabel("User name", new() { Exact = true }).FillAsync(username);
        await Page.GetByLabel("E-mail address").FillAsync(email ?? Email);
        await Page.GetByLabel("Password", new() { Exact = true }).FillAsync(password);
    }

    public Task PressAsync(string button) => Page.GetByRole(AriaRole.Button, new() { Name = button }).ClickAsync();

    /// <summary>Signs up and waits until the page says where to go on.</summary>
    public async Task SignUpAsync()
    {
        await FillInAsync();
        await PressAsync("Create account");
        await SeesAsync("Check your mail");
    }

    /// <summary>By the link in the mail.</summary>
    public async Task ActivateAsync()
    {
        await OpenMailAsync(Email, "Activate");
        await FollowLinkInMailAsync();
        await PressAsync("Activate my account");
    }

    /// <summary>At the page for that.</summary>
    public async Task SignInAsync(string? email = null, string password = Password)
    {
        await Page.GetByLabel("E-mail address").FillAsync(email ?? Email);
        await Page.GetByLabel("Password", new() { Exact = true }).FillAsync(password);
        await PressAsync("Sign in");
    }

    /// <summary>At the page for that.</summary>
    public async Task ChangePasswordAsync(string present, string wanted)
    {
        await Page.GetByLabel("Present password", new() { Exact = true }).FillAsync(present);
        await Page.GetByLabel("New password", new() { Exact = true }).FillAsync(wanted);
        await PressAsync("Change the password");
    }

    public async Task ChangeEmailAsync(string email, string password = Password)
    {
        await Page.GetByLabel("New e-mail address", new() { Exact = true }).FillAsync(email);
        await Page.GetByLabel("Password", new() { Exact = true }).FillAsync(password);
        await PressAsync("Send the link");
    }

    /// <summary>At the page for that.</summary>
    public async Task DeleteAccountAsync(string password = Password, bool forget = false)
    {
        if (forget) await Page.GetByLabel("Forget me, too").CheckAsync();
        await Page.GetByLabel("Password", new() { Exact = true }).FillAsync(password);
        await PressAsync("Delete my account");
    }

    /// <summary>Waits for a page with this heading.</summary>
    public Task SeesAsync(string heading) => Expect(Heading).ToHaveTextAsync(heading, new() { Timeout = 30_000 });

    /// <summary>Looks again until the page has this heading and this text.</summary>
    public Task ReloadUntilAsync(string heading, string text) => Fixture.Wait.UntilAsync(async () =>
    {
        await Page.ReloadAsync();
        return await Heading.TextContentAsync() == heading && await Page.GetByText(text).CountAsync() > 0;
    }, $"the page says: {heading} … {text}");

    /// <summary>Opens the mail in the development inbox, as soon as it is there.</summary>
    /// <param name="subject">Of which the latest is opened.</param>
    public async Task OpenMailAsync(string email, string? subject = null)
    {
        var mails = Page.GetByRole(AriaRole.Listitem).Filter(new() { HasText = email });
        if (subject is not null) mails = mails.Filter(new() { HasText = subject });
        await Fixture.Wait.UntilAsync(async () =>
        {
            await Page.GotoAsync("/dev/inbox");
            return await mails.CountAsync() > 0;
        }, "the mail is in the inbox");
        await mails.First.GetByRole(AriaRole.Link).ClickAsync();
        await Expect(Page.GetByText(email)).ToBeVisibleAsync();
    }

    public Task FollowLinkInMailAsync(string page = "/activate") => Page.GetByRole(AriaRole.Link, new() { Name = $"{page}?token=" }).ClickAsync();

    public ValueTask DisposeAsync() => _context.DisposeAsync();
}
