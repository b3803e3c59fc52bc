using System.Globalization;
using Parquet;
using Parquet.Schema;

namespace Signup.EventLog.Archive;

/// <summary>
/// The format of the archive's files: Parquet, a row per event in order, compressed with Zstandard. Any program that reads Parquet reads them; the
/// columns have the names of the table <c>mt_events</c>. The same events always make the same bytes.
/// </summary>
public static class SegmentFile
{
    /// <summary>Columns are added at the end and never change.</summary>
    private const string Version = "1";

    private static readonly DataField Position = new DataField<long>("seq_id"), StreamId = new DataField<Guid>("stream_id"), StreamVersion = new DataField<long>("version"),
        EventId = new DataField<Guid>("id"), Type = Text("type"), Data = Text("data"),
        At = new DateTimeDataField("timestamp", DateTimeFormat.Timestamp, isAdjustedToUTC: true, unit: DateTimeTimeUnit.Micros, isNullable: false),
        Tenant = Text("tenant_id"), DotNetType = Text("mt_dotnet_type", nullable: true), IsArchived = new DataField<bool>("is_archived");

    private static readonly ParquetSchema Schema = new(Position, StreamId, StreamVersion, EventId, Type, Data, At, Tenant, DotNetType, IsArchived);

    /// <summary>The name of a segment's file. What it holds is part of it, so that two files of one name are the same.</summary>
    /// <param name="sha256">Of the file, in hexadecimal digits.</param>
    public static string NameOf(long first, long last, string sha256) =>
        string.Create(CultureInfo.InvariantCulture, $"{first:D12}-{last:D12}-{sha256[..16]}.parquet");

    /// <param name="events">In order; not empty.</param>
    /// <returns>The file's bytes.</returns>
    public static async Task<byte[]> WriteAsync(IReadOnlyList<StoredEvent> events, CancellationToken cancellation)
    {
        using var bytes = new MemoryStream();
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.Zstd };
        await using (var file = await ParquetWriter.CreateAsync(Schema, bytes, options, cancellationToken: cancellation))
        {
            file.CustomMetadata = new Dictionary<string, string> { ["signup.log.segment"] = Version };
            using var rows = file.CreateRowGroup();
            await rows.WriteAsync<long>(Position, Column(e => e.Position), cancellationToken: cancellation);
            await rows.WriteAsync<Guid>(StreamId, Column(e => e.StreamId), cancellationToken: cancellation);
            await rows.WriteAsync<long>(StreamVersion, Column(e => e.Version), cancellationToken: cancellation);
            await rows.WriteAsync<Guid>(EventId, Column(e => e.EventId), cancellationToken: cancellation);
            await rows.WriteAsync(Type, Column(e => e.Type));
            await rows.WriteAsync(Data, Column(e => e.Data));
            await rows.WriteAsync<DateTime>(At, Column(e => e.At.UtcDateTime), cancellationToken: cancellation);
            await rows.WriteAsync(Tenant, Column(e => e.Tenant));
            await rows.WriteAsync(DotNetType, Column(e => e.DotNetType)!);
            await rows.WriteAsync<bool>(IsArchived, Column(e => e.IsArchived), cancellationToken: cancellation);
        }
        return bytes.ToArray();

        T[] Column<T>(Func<StoredEvent, T> of) => [.. events.Select(of)];
    }

    /// <exception cref="FormatException">These bytes are no segment.</exception>
    public static async Task<IReadOnlyList<StoredEvent>> ReadAsync(byte[] bytes, CancellationToken cancellation)
    {
        try
        {
            using var stream = new MemoryStream(bytes, writable: false);
            await using var file = await ParquetReader.CreateAsync(stream, cancellationToken: cancellation);
            if (file.CustomMetadata.GetValueOrDefault("signup.log.segment") != Version) throw new FormatException($"It is Parquet, but no segment of a log in version {Version}.");
            var events = new List<StoredEvent>();
            for (var group = 0; group < file.RowGroupCount; group++)
            {
                using var rows = file.OpenRowGroupReader(group);
                var count = (int)rows.RowCount;
                var (positions, streams, versions, ids) = (new long[count], new Guid[count], new long[count], new Guid[count]);
                var (types, data, times, tenants, dotNetTypes, archived) = (new string[count], new string[count], new DateTime[count], new string[count], new string?[count], new bool[count]);
                await rows.ReadAsync<long>(Position, positions, cancellationToken: cancellation);
                await rows.ReadAsync<Guid>(StreamId, streams, cancellationToken: cancellation);
                await rows.ReadAsync<long>(StreamVersion, versions, cancellationToken: cancellation);
                await rows.ReadAsync<Guid>(EventId, ids, cancellationToken: cancellation);
                await rows.ReadAsync(Type, types, cancellationToken: cancellation);
                await rows.ReadAsync(Data, data, cancellationToken: cancellation);
                await rows.ReadAsync<DateTime>(At, times, cancellationToken: cancellation);
                await rows.ReadAsync(Tenant, tenants, cancellationToken: cancellation);
                await rows.ReadAsync(DotNetType, dotNetTypes, cancellationToken: cancellation);
                await rows.ReadAsync<bool>(IsArchived, archived, cancellationToken: cancellation);
                for (var i = 0; i < count; i++)
                    events.Add(new StoredEvent(positions[i], streams[i], versions[i], ids[i], types[i], data[i], new DateTimeOffset(times[i].Ticks, TimeSpan.Zero), tenants[i], dotNetTypes[i], archived[i]));
            }
            return events;
        }
        catch (Exception e) when (e is not (FormatException or OperationCanceledException))
        {
            throw new FormatException($"It cannot be read as Parquet: {e.Message}", e);
        }
    }

    private static DataField<string> Text(string name, bool nullable = false) => new(name, nullable);
}
