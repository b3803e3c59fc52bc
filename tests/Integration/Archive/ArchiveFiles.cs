namespace Signup.Tests.Integration.Archive;

/// <summary>The archive's files, for whoever looks at them, or does something to them.</summary>
internal abstract class ArchiveFiles
{
    /// <summary>The setting <c>Archive:Target</c>.</summary>
    public abstract string Target { get; }

    /// <summary>By name, with the moment in which each was last written to.</summary>
    public abstract Task<Dictionary<string, DateTime>> ListAsync();

    public abstract Task<byte[]> ReadAsync(string file);
    public abstract Task WriteAsync(string file, byte[] bytes);
    public abstract Task DeleteAsync(string file);

    /// <summary>Has something happen to a file.</summary>
    /// <param name="other">That which it is taken for, where it is foreign.</param>
    /// <returns>What it was.</returns>
    public async Task<byte[]> DamageAsync(string file, string damage, string other)
    {
        var bytes = await ReadAsync(file);
        await (damage switch
        {
            "missing" => DeleteAsync(file),
            "truncated" => WriteAsync(file, bytes[..100]),
            "altered" => WriteAsync(file, [.. bytes[..200], (byte)(bytes[200] ^ 1), .. bytes[201..]]),
            "longer" => WriteAsync(file, [.. bytes, 0]),
            "foreign" => WriteAsync(file, await ReadAsync(other)),
            _ => throw new ArgumentOutOfRangeException(nameof(damage), damage, null),
        });
        return bytes;
    }
}

internal sealed class DirectoryFiles(string path) : ArchiveFiles
{
    public override string Target => new Uri(path).AbsoluteUri;
    public override Task<Dictionary<string, DateTime>> ListAsync() => Task.FromResult(Directory.Exists(path) ? Directory.GetFiles(path).ToDictionary(f => Path.GetFileName(f), File.GetLastWriteTimeUtc) : []);
    public override Task<byte[]> ReadAsync(string file) => File.ReadAllBytesAsync(Path.Combine(path, file));

    public override Task DeleteAsync(string file)
    {
        File.Delete(Path.Combine(path, file));
        return Task.CompletedTask;
    }

    public override Task WriteAsync(string file, byte[] bytes)
    {
        Directory.CreateDirectory(path);
        return File.WriteAllBytesAsync(Path.Combine(path, file), bytes);
    }
}

/// <summary>Behind a prefix, which is not all that the bucket has.</summary>
internal sealed class BucketFiles(Bucket bucket) : ArchiveFiles
{
    private const string Prefix = "signup/log";

    /// <summary>What a process is told that has its archive there.</summary>
    public IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>(bucket.Settings) { ["Archive__Target"] = Target };

    public override string Target => $"s3://{bucket.Name}/{Prefix}";
    public override async Task<Dictionary<string, DateTime>> ListAsync() => (await bucket.ListAsync()).Where(f => f.Key.StartsWith($"{Prefix}/", StringComparison.Ordinal)).ToDictionary(f => f.Key[(Prefix.Length + 1)..], f => f.Value);
    public override Task<byte[]> ReadAsync(string file) => bucket.ReadAsync($"{Prefix}/{file}");
    public override Task WriteAsync(string file, byte[] bytes) => bucket.WriteAsync($"{Prefix}/{file}", bytes);
    public override Task DeleteAsync(string file) => bucket.DeleteAsync($"{Prefix}/{file}");
}
