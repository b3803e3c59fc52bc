using System.Diagnostics;
using Signup.EventLog;
using Signup.Hosting.Http;
using Signup.Hosting.Operations;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Uniqueness;

namespace Signup.Uniqueness;

/// <summary>The bus's other door: many proposals in one request, of an endpoint that holds the commands which led to them. See <see cref="Hosting.Calls.UniquenessClient"/>.</summary>
public static class ProposalsDoor
{
    public static void MapProposalsDoor(this WebApplication app)
    {
        var door = app.MapGroup("/proposals").RequireApiKey("Uniqueness:ApiKey");
        door.MapPost("", (HttpContext http, Proposals proposals, Verdicts verdicts) => AnswerAsync(http, asked => DecideAsync(asked, proposals, verdicts)));
        door.MapPost("/rehearsal", (HttpContext http, Proposals proposals) => AnswerAsync(http, asked => RehearseAsync(asked, proposals)));
    }

    /// <summary>One verdict for each, in order; null for what is not decided, or not known to be. Why that is, whoever sends it over the bus will find.</summary>
    private static async Task<IResult> AnswerAsync(HttpContext http, Func<CausedProposal, Task<Verdict?>> answer)
    {
        try
        {
            var asked = await JsonBody.ReadAsync<CausedProposal[]>(http, Wire.Json);
            if (asked.Any(a => a is not { Proposal: not null, Cause: not null })) throw new FormatException("Each must have a proposal and a cause.");
            return Results.Json(await Task.WhenAll(asked.Select(answer)), Wire.Json);
        }
        catch (FormatException e)
        {
            return Problems.Problem(400, "invalid", "invalid", e.Message);
        }
    }

    private static async Task<Verdict?> DecideAsync(CausedProposal asked, Proposals proposals, Verdicts verdicts)
    {
        // It belongs to the sign-up's trace, and not to that of the request, which many share.
        Activity.Current = null;
        using var activity = Tracing.Continue("process proposal", ActivityKind.Server, asked.Cause.TraceParent);
        Cause.Is(asked.Cause);
        try
        {
            return await ProposeEventHandler.Handle(asked.Proposal, proposals, verdicts);
        }
        catch
        {
            return null;
        }
    }

    /// <summary>The verdict that it would get, but nothing of it is kept.</summary>
    private static async Task<Verdict?> RehearseAsync(CausedProposal asked, Proposals proposals)
    {
        try
        {
            return await proposals.RehearseAsync(asked.Proposal);
        }
        catch
        {
            return null;
        }
    }
}
