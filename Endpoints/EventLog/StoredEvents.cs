using System.Data.Common;
using Signup.EventLog.Archiving;

namespace Signup.EventLog;

/// <summary>How rows of the log are read, whoever selects which: <c>select {Columns} {From} where …</c>, with <c>e</c> for the event.</summary>
internal static class StoredEvents
{
    public const string Columns = $"{StoredEvent.Columns}, k.id is not null, case when not k.leaving then k.key end";

    /// <summary>The same, for Mail: see <see cref="PersonalKeys"/>.</summary>
    public const string ColumnsForTheLastMail = $"{StoredEvent.Columns}, k.id is not null, k.key";

    /// <summary>SQL, of a condition on events <c>e</c>: they may hold something personal.</summary>
    public static readonly string ArePersonal = $"e.type in ({string.Join(", ", EventTypes.All.Where(t => t.IsPersonal).Select(t => $"'{t.Name}'"))})";

    /// <summary>Joins the keys of events <c>e</c>.</summary>
    public static readonly string Keys = $"left join {PersonalKeys.Table} k on k.id = e.stream_id and {ArePersonal}";

    /// <summary>Events with their streams' keys, as far as they need them.</summary>
    public static readonly string From = $"from {LogStore.Events} e {Keys}";

    public static StoredRow Read(DbDataReader row) =>
        new(StoredEvent.Read(row), row.GetBoolean(StoredEvent.Count), row.IsDBNull(StoredEvent.Count + 1) ? null : row.GetFieldValue<byte[]>(StoredEvent.Count + 1));

    /// <param name="asStored">Whether an event of an older shape stays in it. Personal texts are opened all the same.</param>
    /// <exception cref="InvalidDataException">The key of its stream is not there: it was not destroyed, but lost.</exception>
    public static LoggedEvent Open(StoredRow row, bool asStored)
    {
        var (e, data) = (row.Event, row.Event.Data!);
        if (EventTypes.Find(e.Type) is { IsPersonal: true } known)
        {
            if (!row.IsKeyKnown && PersonalData.IsSealed(known, data))
                throw new InvalidDataException($"The key to the {e.Type} at position {e.Position}, of {e.StreamId}, is missing from the table {PersonalKeys.Table}: bring that back from a backup of the database.");
            data = PersonalData.Open(known, e.StreamId, data, row.Key);
        }
        return new LoggedEvent(e.Position, e.StreamId, e.Version, e.EventId, e.Type, asStored ? data : Upcasting.Apply(e.Type, data), new DateTimeOffset(e.At), e.Headers);
    }
}

/// <param name="IsKeyKnown">Whether its stream has a row among the keys, where it may hold something personal.</param>
/// <param name="Key">Null where nobody is to open it.</param>
internal readonly record struct StoredRow(StoredEvent Event, bool IsKeyKnown, byte[]? Key);
