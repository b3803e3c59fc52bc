namespace Signup.EventLog.Archive;

/// <summary>A row of the log as it is stored: enough to restore it exactly.</summary>
/// <param name="Position">Place in the log's total order.</param>
/// <param name="Data">JSON as PostgreSQL writes it, in the shape it was appended in.</param>
/// <param name="At">When it was appended; whole microseconds.</param>
/// <param name="Tenant">Marten's column <c>tenant_id</c>; so are the two behind it <c>mt_dotnet_type</c> and <c>is_archived</c>.</param>
public sealed record StoredEvent(
    long Position, Guid StreamId, long Version, Guid EventId, string Type, string Data, DateTimeOffset At, string Tenant, string? DotNetType, bool IsArchived)
{
    /// <summary>As a reader of the log gives it out.</summary>
    /// <param name="asStored">Whether an event of an older shape stays as it is.</param>
    public LoggedEvent ToLogged(bool asStored) => new(Position, StreamId, Version, EventId, Type, asStored ? Data : Upcasting.Apply(Type, Data), At);
}
