using System.Text;

namespace Signup.Hosting.ServiceControl;

/// <summary>One figure about one message.</summary>
/// <param name="Ticks">When, in .NET ticks, UTC.</param>
/// <param name="Tag">The message's types, as its header names them.</param>
/// <param name="Value">Milliseconds; for a retry 1.</param>
internal readonly record struct Occurrence(long Ticks, string Tag, long Value)
{
    /// <summary>As many as NServiceBus puts into one message.</summary>
    public const int Most = 2_048;

    /// <summary>Ticks after the first are written in 32 bits: 214 seconds.</summary>
    public const long LongestSpan = int.MaxValue;

    /// <summary>As NServiceBus.Metrics.ServiceControl writes them (TaggedLongValueWriterV1): little-endian, in the order of time.
    /// <c>int64 version = 1 · int64 ticks of the first · int32 tags · tags × { int32 id from 1, int32 bytes, UTF-8 }
    /// · int32 count · count × { int32 ticks after the first, int32 tag, int64 value }</c></summary>
    public static byte[] Write(ReadOnlySpan<Occurrence> ascending)
    {
        var tags = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var occurrence in ascending) tags.TryAdd(occurrence.Tag, tags.Count + 1);

        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(1L);
        writer.Write(ascending[0].Ticks);
        writer.Write(tags.Count);
        foreach (var (tag, id) in tags)
        {
            writer.Write(id);
            var name = Encoding.UTF8.GetBytes(tag);
            writer.Write(name.Length);
            writer.Write(name);
        }
        writer.Write(ascending.Length);
        foreach (var occurrence in ascending)
        {
            writer.Write(checked((int)(occurrence.Ticks - ascending[0].Ticks)));
            writer.Write(tags[occurrence.Tag]);
            writer.Write(occurrence.Value);
        }
        return bytes.ToArray();
    }

    /// <summary>Parts that fit into one message each.</summary>
    public static IEnumerable<Occurrence[]> Split(IEnumerable<Occurrence> occurrences)
    {
        var part = new List<Occurrence>();
        foreach (var next in occurrences.OrderBy(o => o.Ticks))
        {
            if (part.Count == Most || (part.Count > 0 && next.Ticks - part[0].Ticks >= LongestSpan))
            {
                yield return [.. part];
                part.Clear();
            }
            part.Add(next);
        }
        if (part.Count > 0) yield return [.. part];
    }
}
