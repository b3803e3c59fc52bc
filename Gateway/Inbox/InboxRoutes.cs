using Signup.Gateway.Pages;
using Signup.Gateway.Web;
using Signup.Hosting.Http;

namespace Signup.Gateway.Inbox;

/// <summary>The mails that were written, so that a newcomer without a mail provider can follow the link.</summary>
public static class InboxRoutes
{
    public static void MapInbox(this WebApplication app)
    {
        // Where it is not open there is no route.
        if (!app.Services.GetRequiredService<DevInbox>().IsOpen) return;
        var inboxes = app.MapGroup(DevInbox.Path).AddEndpointFilter(async (context, next) => Proxies.IsLocal(context.HttpContext) ? await next(context) : Results.NotFound());
        inboxes.MapGet("", async (HttpContext http, DevInbox inbox) => (IResult)new LocalizedPage<InboxPage>(200, Client.Texts(http.Request), new()
        {
            [nameof(InboxPage.Mails)] = await inbox.ListAsync(http.RequestAborted),
        }));
        inboxes.MapGet("/{name}", async (string name, HttpContext http, DevInbox inbox) =>
            await inbox.FindAsync(name, http.RequestAborted) is { } mail
                ? (IResult)new LocalizedPage<MailPage>(200, Client.Texts(http.Request), new() { [nameof(MailPage.Mail)] = mail })
                : Results.NotFound());
    }
}
