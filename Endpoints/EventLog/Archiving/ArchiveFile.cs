using System.Runtime.CompilerServices;
using Parquet;
using Parquet.Schema;

namespace Signup.EventLog.Archiving;

/// <summary>
/// The format of the archive's files: Parquet, a row for each event, in order, compressed with Zstandard. Any program that reads Parquet reads them; docs/archive.md shows how.
/// </summary>
public static class ArchiveFile
{
    /// <summary>Rows that are written, and read, at a time: as many are in memory, and are read for one of them. Of the sizes tried (1,000 to 20,000) none is smaller on the disk, and none faster to read as a whole.</summary>
    private const int GroupSize = 2_000;

    /// <summary>Marks a file as one of an archive, and says which columns it has: see <see cref="Schema"/>.</summary>
    private const string Mark = "signup.archive", Format = "1";

    private static readonly DataField Position = new DataField<long>("position"), Stream = new DataField<Guid>("stream"), Version = new DataField<long>("version"), Id = new DataField<Guid>("id"),
        Type = new DataField<string>("type", false), Time = new DateTimeDataField("time", DateTimeFormat.Timestamp, isAdjustedToUTC: true, unit: DateTimeTimeUnit.Micros, isNullable: false),
        Data = new DataField<string>("data", false), Metadata = new DataField<string>("metadata", true);

    private static readonly ParquetSchema Schema = new(Position, Stream, Version, Id, Type, Time, Data, Metadata);

    // The level that costs the least: what it would save at the next one is sealed texts, which do not shrink.
    private static readonly ParquetOptions Options = new() { CompressionMethod = CompressionMethod.Zstd, CompressionLevel = System.IO.Compression.CompressionLevel.Fastest };

    /// <returns>How many events there were; there may be none.</returns>
    public static async Task<long> WriteAsync(Stream file, IAsyncEnumerable<StoredEvent> events, CancellationToken cancellation)
    {
        var count = 0L;
        await using var writer = await ParquetWriter.CreateAsync(Schema, file, Options, cancellationToken: cancellation);
        writer.CustomMetadata = new Dictionary<string, string> { [Mark] = Format };
        var group = new List<StoredEvent>(GroupSize);
        await foreach (var e in events.WithCancellation(cancellation))
        {
            group.Add(e);
            if (group.Count == GroupSize) await FlushAsync();
        }
        if (group.Count > 0) await FlushAsync();
        return count;

        async Task FlushAsync()
        {
            using var rows = writer.CreateRowGroup();
            await rows.WriteAsync<long>(Position, Column(e => e.Position), cancellationToken: cancellation);
            await rows.WriteAsync<Guid>(Stream, Column(e => e.StreamId), cancellationToken: cancellation);
            await rows.WriteAsync<long>(Version, Column(e => e.Version), cancellationToken: cancellation);
            await rows.WriteAsync<Guid>(Id, Column(e => e.EventId), cancellationToken: cancellation);
            await rows.WriteAsync(Type, Column(e => e.Type));
            await rows.WriteAsync<DateTime>(Time, Column(e => e.At), cancellationToken: cancellation);
            await rows.WriteAsync(Data, Column(e => e.Data!));
            await rows.WriteAsync(Metadata, Column(e => e.Headers)!);
            count += group.Count;
            group.Clear();
        }

        T[] Column<T>(Func<StoredEvent, T> of)
        {
            var column = new T[group.Count];
            for (var i = 0; i < column.Length; i++) column[i] = of(group[i]);
            return column;
        }
    }

    /// <summary>Its events, in order, some thousands at a time.</summary>
    /// <exception cref="FormatException">It is no file of an archive.</exception>
    public static async IAsyncEnumerable<IReadOnlyList<StoredEvent>> ReadAsync(Stream file, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var reader = await OpenAsync(file, cancellation);
        for (var i = 0; i < reader.RowGroupCount; i++)
        {
            var group = i;
            yield return await ReadableAsync(() => ReadGroupAsync(reader, group, cancellation));
        }
    }

    /// <summary>Those of its events, in order, that were written together with the one that has this position; those around it, where it has none.</summary>
    /// <exception cref="FormatException">It is no file of an archive.</exception>
    public static async Task<IReadOnlyList<StoredEvent>> ReadAroundAsync(Stream file, long position, CancellationToken cancellation)
    {
        await using var reader = await OpenAsync(file, cancellation);
        return await ReadableAsync(() => ReadGroupAsync(reader, Enumerable.Range(0, reader.RowGroupCount - 1).FirstOrDefault(IsIn, reader.RowGroupCount - 1), cancellation));

        bool IsIn(int group)
        {
            using var rows = reader.OpenRowGroupReader(group);
            return rows.GetStatistics(Position)?.MaxValue is long last && position <= last;
        }
    }

    private static async Task<ParquetReader> OpenAsync(Stream file, CancellationToken cancellation)
    {
        var reader = await ReadableAsync(() => ParquetReader.CreateAsync(file, cancellationToken: cancellation));
        if (reader.CustomMetadata?.GetValueOrDefault(Mark) is var format && format == Format) return reader;
        await reader.DisposeAsync();
        throw new FormatException(format is null ? "it is Parquet, but not of an archive" : $"it is of format {format}, and this version reads {Format}");
    }

    private static async Task<IReadOnlyList<StoredEvent>> ReadGroupAsync(ParquetReader reader, int group, CancellationToken cancellation)
    {
        using var rows = reader.OpenRowGroupReader(group);
        var count = checked((int)rows.RowCount);
        var (positions, streams, versions, ids) = (new long[count], new Guid[count], new long[count], new Guid[count]);
        var (types, times, data, metadata) = (new string?[count], new DateTime[count], new string?[count], new string?[count]);
        await rows.ReadAsync<long>(Position, positions, cancellationToken: cancellation);
        await rows.ReadAsync<Guid>(Stream, streams, cancellationToken: cancellation);
        await rows.ReadAsync<long>(Version, versions, cancellationToken: cancellation);
        await rows.ReadAsync<Guid>(Id, ids, cancellationToken: cancellation);
        await rows.ReadAsync(Type, types.AsMemory(), cancellationToken: cancellation);
        await rows.ReadAsync<DateTime>(Time, times, cancellationToken: cancellation);
        await rows.ReadAsync(Data, data.AsMemory(), cancellationToken: cancellation);
        await rows.ReadAsync(Metadata, metadata.AsMemory(), cancellationToken: cancellation);
        var events = new StoredEvent[count];
        for (var i = 0; i < count; i++) events[i] = new(positions[i], streams[i], versions[i], ids[i], types[i]!, DateTime.SpecifyKind(times[i], DateTimeKind.Utc), data[i]!, metadata[i]);
        return events;
    }

    /// <summary>Whatever the library throws at bytes that are not Parquet is one thing to us.</summary>
    private static async Task<T> ReadableAsync<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception e) when (e is not (FormatException or OperationCanceledException))
        {
            throw new FormatException($"it cannot be read as Parquet ({e.Message})", e);
        }
    }
}
