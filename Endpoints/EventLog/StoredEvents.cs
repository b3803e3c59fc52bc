using System.Data.Common;

namespace Signup.EventLog;

/// <summary>How rows of the log are read, whoever selects which: <c>select {Columns} {From} where …</c>, with <c>e</c> for the event.</summary>
public static class StoredEvents
{
    public const string Columns = $"{EventColumns}, case when not k.leaving then k.key end";

    /// <summary>The same, for Mail: see <see cref="PersonalKeys"/>.</summary>
    internal const string ColumnsForTheLastMail = $"{EventColumns}, k.key";

    /// <summary>How many columns that are.</summary>
    public const int Count = 10;

    private const string EventColumns = "e.seq_id, e.stream_id, e.version, e.id, e.type, e.data::text, e.timestamp, e.headers::text, k.id is not null";

    /// <summary>SQL, of a condition on events <c>e</c>: they may hold something personal.</summary>
    internal static readonly string ArePersonal = $"e.type in ({string.Join(", ", EventTypes.All.Where(t => t.IsPersonal).Select(t => $"'{t.Name}'"))})";

    /// <summary>Joins the keys of events <c>e</c>.</summary>
    internal static readonly string Keys = $"left join {PersonalKeys.Table} k on k.id = e.stream_id and {ArePersonal}";

    /// <summary>Events with their streams' keys, as far as they need them.</summary>
    public static readonly string From = $"from {LogStore.Schema}.mt_events e {Keys}";

    /// <param name="asStored">Whether an event of an older shape stays in it. Personal texts are opened all the same.</param>
    /// <exception cref="InvalidDataException">The key of its stream is not there: it was not destroyed, but lost.</exception>
    public static LoggedEvent Read(DbDataReader row, bool asStored = false)
    {
        var (position, stream, type, data) = (row.GetInt64(0), row.GetGuid(1), row.GetString(4), row.GetString(5));
        if (EventTypes.Find(type) is { IsPersonal: true } known)
        {
            if (!row.GetBoolean(8) && PersonalData.IsSealed(known, data))
                throw new InvalidDataException($"The key to the {type} at position {position}, of {stream}, is missing from the table {PersonalKeys.Table}: bring that back from a backup of the database.");
            data = PersonalData.Open(known, stream, data, row.IsDBNull(9) ? null : row.GetFieldValue<byte[]>(9));
        }
        return new LoggedEvent(position, stream, row.GetInt64(2), row.GetGuid(3), type, asStored ? data : Upcasting.Apply(type, data), row.GetFieldValue<DateTimeOffset>(6), row.IsDBNull(7) ? null : row.GetString(7));
    }
}
