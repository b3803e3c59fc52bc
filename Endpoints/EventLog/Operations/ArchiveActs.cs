namespace Signup.EventLog.Operations;

// What operators did with what is archived: all in one stream. Who it was is in the event's metadata.

/// <summary>The events of these positions were taken out of the log's table: what they say is in a file of the archive alone.</summary>
/// <param name="File">Its name.</param>
public sealed record EventsDropped(long First, long Last, long Events, string File);

/// <summary>They were put back.</summary>
public sealed record EventsRestored(long First, long Last, long Events, string File);
