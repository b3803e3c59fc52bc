using JasperFx;
using Marten;
using Weasel.Core;
using Weasel.Postgresql;
using Weasel.Postgresql.Tables;

namespace Signup.EventLog.Archive;

/// <summary>
/// What the log's database knows of its archive:
/// <list type="bullet">
/// <item><c>archive</c>, at most one row: the directory, and <c>dropped</c>, the position up to which the archive has the say. Behind it the table has it.</item>
/// <item><c>archived_segment</c>, a row per closed file; the last one is the archiver's checkpoint. No position is between two of them.</item>
/// <item><c>archived_stream</c>, what stays of a stream whose events have been dropped: its status, and by version the ids and positions of its events.</item>
/// </list>
/// </summary>
internal static class ArchiveTables
{
    public const string Archive = $"{LogStore.Schema}.archive", Segment = $"{LogStore.Schema}.archived_segment", Stream = $"{LogStore.Schema}.archived_stream";

    /// <summary>They are made with Marten's own tables, by every process at its start.</summary>
    public static void Configure(StoreOptions options)
    {
        var archive = new Table(Archive);
        archive.AddColumn<bool>("one").AsPrimaryKey().DefaultValueByExpression("true");
        archive.AddColumn("directory", "text").NotNull();
        archive.AddColumn("dropped", "bigint").NotNull().DefaultValueByExpression("0");

        var segment = new Table(Segment);
        segment.AddColumn("first", "bigint").AsPrimaryKey();
        segment.AddColumn("last", "bigint").NotNull().AddIndex(i => i.IsUnique = true);
        segment.AddColumn("count", "bigint").NotNull();
        segment.AddColumn("oldest", "timestamp with time zone").NotNull();
        segment.AddColumn("newest", "timestamp with time zone").NotNull();
        segment.AddColumn("file", "text").NotNull();
        segment.AddColumn("sha256", "text").NotNull();

        var stream = new Table(Stream);
        stream.AddColumn("stream_id", "uuid").AsPrimaryKey();
        stream.AddColumn("status", "text").NotNull();
        stream.AddColumn("event_ids", "uuid[]").NotNull();
        stream.AddColumn("positions", "bigint[]").NotNull();

        options.Storage.ExtendedSchemaObjects.Add(archive);
        options.Storage.ExtendedSchemaObjects.Add(segment);
        options.Storage.ExtendedSchemaObjects.Add(stream);
    }
}
