using Microsoft.Playwright;

namespace Signup.Tests.Browser;

/// <summary>The mails as they were approved, with names of all kinds, in a browser that stands for mail programs.</summary>
public class when_mails_are_looked_at(Site site)
{
    private static readonly string[] Approved = Directory.GetFiles(Path.Combine(Parts.Root, "tests", "Unit", "Mail", "approved"), "*.txt");

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task all_can_be_read_at_320_pixels(ColorScheme scheme)
    {
        await using var visitor = await site.VisitAsync(scheme: scheme, width: 320);
        // The gateway's own rules for content end here.
        await visitor.Page.GotoAsync("about:blank");
        Assert.Contains(Approved, f => f.EndsWith("activation.rtl.de.txt", StringComparison.Ordinal));
        foreach (var file in Approved)
        {
            var mail = Path.GetFileNameWithoutExtension(file);
            var parts = (await File.ReadAllTextAsync(file)).Split("----------\n");
            await LookAsync($"<!doctype html><html lang=\"{mail[^2..]}\"><meta name=\"color-scheme\" content=\"light dark\"><title>Text</title><pre style=\"white-space: pre-wrap; overflow-wrap: anywhere\">{System.Net.WebUtility.HtmlEncode(parts[0])}</pre>", $"{mail}.text");
            await LookAsync(parts[1], mail);
            // Whose name is in it makes no difference to axe.
            if (mail.Count(c => c == '.') > 1) continue;
            // axe takes a page without a background for white.
            await visitor.Page.EvaluateAsync("document.documentElement.style.background = 'Canvas'");
            var result = await Axe.LookAtAsync(visitor.Page, "wcag2a", "wcag2aa");
            Assert.NotEmpty(result.Passes);
            Assert.Empty(result.Violations.Select(v => $"{mail}: {v.Id}: {v.Help}: {string.Join(" | ", v.Nodes.Select(n => n.Html))}"));
        }

        async Task LookAsync(string html, string name)
        {
            await visitor.Page.SetContentAsync(html);
            if (Environment.GetEnvironmentVariable("SCREENSHOTS") is { Length: > 0 } folder)
                await visitor.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"mail-{name}-{scheme}.png".ToLowerInvariant()), FullPage = true });
            var width = await visitor.Page.EvaluateAsync<int>("document.documentElement.scrollWidth");
            Assert.True(width <= 320, $"{name} is {width} pixels wide");
        }
    }
}
