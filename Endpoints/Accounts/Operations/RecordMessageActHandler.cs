using Signup.EventLog;
using Signup.Hosting.Handling;
using Signup.Messages.Operations;
using MessageDiscarded = Signup.EventLog.Operations.MessageDiscarded;
using MessageRetried = Signup.EventLog.Operations.MessageRetried;

namespace Signup.Accounts.Operations;

/// <summary>An operator is about to act on a failed message: the log is to say who, what and why. The gateway, where he sits, owns nothing durable.</summary>
public static class RecordMessageActHandler
{
    public static async Task<MessageHistory> LoadAsync(RecordMessageAct command, LogReader log, CancellationToken cancellation) =>
        new(await log.ReadStreamAsync(command.FailureId, cancellation));

    public static Append? Handle(RecordMessageAct command, MessageHistory history) => history.Holds(command.ActId)
        ? null
        : new Append(command.FailureId, history.Events.Count, command.Act == MessageAct.Discarded
            ? new MessageDiscarded(command.FailureId, command.ActId, command.MessageType, command.Queue, command.By, command.Reason ?? "", command.At)
            : new MessageRetried(command.FailureId, command.ActId, command.MessageType, command.Queue, command.By, command.At));
}

/// <summary>All that operators have done to one failed message.</summary>
public sealed record MessageHistory(IReadOnlyList<object> Events)
{
    public bool Holds(Guid actId) => Events.Any(e => e switch
    {
        MessageRetried retried => retried.ActId == actId,
        MessageDiscarded discarded => discarded.ActId == actId,
        _ => false,
    });
}
