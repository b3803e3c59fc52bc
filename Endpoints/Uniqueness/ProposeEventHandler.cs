using Signup.Messages.Uniqueness;

namespace Signup.Uniqueness;

/// <summary>The door on the bus.</summary>
public static class ProposeEventHandler
{
    public static async Task<Verdict> Handle(ProposeEvent proposed, Proposals proposals, Verdicts verdicts)
    {
        try
        {
            return await proposals.DecideAsync(proposed.StreamId, proposed.EventId, proposed.ExpectedVersion, proposed.Type, proposed.Data, proposed.Once);
        }
        catch (FormatException)
        {
            var no = new Verdict(proposed.StreamId, proposed.EventId, VerdictOutcome.Invalid, 0, 0, null);
            await verdicts.KeepAsync(no);
            return no;
        }
    }
}
