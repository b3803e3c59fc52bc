using System.Globalization;
using System.Text.RegularExpressions;
using Signup.Hosting.ServiceControl;

namespace Signup.Tests.Contract;

/// <summary>Against series that real NServiceBus endpoints wrote, as a tool other than ours has read them.</summary>
public partial class a_series_of_figures
{
    public static TheoryData<string> Vectors() => [.. Vector.All.Keys];

    [Theory, MemberData(nameof(Vectors))]
    public void is_written_byte_by_byte_as_NServiceBus_writes_it(string metric)
    {
        var vector = Vector.All[metric];
        Assert.Equal(vector.Bytes, Occurrence.Write([.. vector.Entries.Select(e => new Occurrence(vector.BaseTicks + e.Offset, vector.Tags[e.Tag], e.Value))]));
    }

    [Fact]
    public void names_a_tag_without_text_too()
    {
        using var reader = new BinaryReader(new MemoryStream(Occurrence.Write([new Occurrence(10, "", 7)])));
        Assert.Equal((1L, 10L, 1, 1, 0, 1, 0, 1, 7L), (reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(),
            reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt64()));
        Assert.Equal(reader.BaseStream.Length, reader.BaseStream.Position);
    }

    [Fact]
    public void is_split_where_one_message_cannot_hold_it()
    {
        var second = TimeSpan.TicksPerSecond;
        var late = Occurrence.Split([new(300 * second, "b", 2), new(0, "a", 1), new(200 * second, "a", 1)]).ToList();
        Assert.Equal([[0, 200 * second], [300 * second]], late.Select(p => p.Select(o => o.Ticks).ToArray()));
        Assert.Equal([2048, 2048, 4], Occurrence.Split(Enumerable.Range(0, 4100).Select(n => new Occurrence(n, "a", n))).Select(p => p.Length));
        Assert.All(late, part => Occurrence.Write(part));
    }

    private sealed partial record Vector(long BaseTicks, Dictionary<int, string> Tags, List<(int Offset, int Tag, long Value)> Entries, byte[] Bytes)
    {
        public static readonly Dictionary<string, Vector> All = Form().Matches(Repository.Read("tests", "Contract", "vectors", "metric-vectors.txt")).ToDictionary(m => m.Groups[1].Value, m => new Vector(
            long.Parse(m.Groups[2].Value, CultureInfo.InvariantCulture),
            Tag().Matches(m.Groups[3].Value).ToDictionary(t => int.Parse(t.Groups[1].Value, CultureInfo.InvariantCulture), t => t.Groups[2].Value),
            Entry().Matches(m.Groups[4].Value).Select(e => (int.Parse(e.Groups[1].Value, CultureInfo.InvariantCulture), int.Parse(e.Groups[2].Value, CultureInfo.InvariantCulture),
                long.Parse(e.Groups[3].Value, CultureInfo.InvariantCulture))).ToList(),
            Convert.FromBase64String(m.Groups[5].Value)));

        [GeneratedRegex(@"^(\w+) version 1 baseTicks (\d+) .*? tags \{(.*?)\} entries\(offset,tag,value\) \[(.*?)\].*\n\s+base64 (\S+)", RegexOptions.Multiline)]
        private static partial Regex Form();

        [GeneratedRegex(@"(\d+): '([^']*)'")]
        private static partial Regex Tag();

        [GeneratedRegex(@"\((\d+), (\d+), (\d+)\)")]
        private static partial Regex Entry();
    }
}
