using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Signup.Tests.Browser;

internal static class Axe
{
    /// <summary>What axe has to say of a page.</summary>
    /// <param name="tags">Of rules; all where none is named.</param>
    /// <remarks>In the page itself. The library's other mode, for frames of other origins, which we have none of, opens a further page each time, and with it a process: 2.15 s where this takes 0.3.</remarks>
    public static Task<AxeResult> LookAtAsync(IPage page, params string[] tags) =>
#pragma warning disable CS0618 // It is to go some day; until then it is the only one that stays in the page.
        page.RunAxeLegacy(options: tags.Length == 0 ? null : new AxeRunOptions { RunOnly = new() { Type = "tag", Values = [.. tags] } });
#pragma warning restore CS0618
}
