namespace Signup.Messages.Operations;

/// <summary>Event: an operator took the events of these positions out of the log's table. What they say is in a file of the log's archive. Committed by Archive.</summary>
/// <param name="File">Its name.</param>
public sealed record EventsDropped(long Version, long First, long Last, long Events, string File);

/// <summary>Event: an operator put the events of these positions back into the log's table. Committed by Archive.</summary>
public sealed record EventsRestored(long Version, long First, long Last, long Events, string File);
