using System.Diagnostics;
using Amazon.S3;
using Amazon.S3.Model;

namespace Signup.Tests.Fixture;

/// <summary>A bucket for one test, in an object store of this test run's own: OpenStack Swift, by its S3 API.</summary>
public sealed class Bucket
{
    private const string AccessKey = "signup:archive", SecretKey = "secret";

    private static readonly Lazy<Task<string>> Server = new(StartAsync);

    /// <summary>Kept, as is its input: it ends with that.</summary>
    private static Process? _server;

    private readonly AmazonS3Client _s3;

    private Bucket(string name, string url)
    {
        Name = name;
        Settings = new Dictionary<string, string>
        {
            ["AWS_ENDPOINT_URL_S3"] = url, ["AWS_ACCESS_KEY_ID"] = AccessKey, ["AWS_SECRET_ACCESS_KEY"] = SecretKey,
            // Whoever runs the tests may have buckets.
            ["AWS_CONFIG_FILE"] = "/dev/null", ["AWS_SHARED_CREDENTIALS_FILE"] = "/dev/null", ["AWS_EC2_METADATA_DISABLED"] = "true",
        };
        _s3 = new AmazonS3Client(AccessKey, SecretKey, new AmazonS3Config { ServiceURL = url, AuthenticationRegion = "us-east-1", ForcePathStyle = true });
    }

    public string Name { get; }

    /// <summary>What a process must be told.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; }

    /// <summary>Where there is none yet. Who speaks S3 in this process finds it.</summary>
    public static async Task<Bucket> NameAsync()
    {
        var bucket = new Bucket($"archive-{Guid.NewGuid():N}"[..24], await Server.Value);
        foreach (var (key, value) in bucket.Settings) Environment.SetEnvironmentVariable(key, value);
        return bucket;
    }

    public static async Task<Bucket> CreateAsync()
    {
        var bucket = await NameAsync();
        await bucket.MakeAsync();
        return bucket;
    }

    public Task MakeAsync() => _s3.PutBucketAsync(Name);

    public async Task<byte[]> ReadAsync(string key)
    {
        using var answer = await _s3.GetObjectAsync(Name, key);
        using var bytes = new MemoryStream();
        await answer.ResponseStream.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    public async Task WriteAsync(string key, byte[] bytes)
    {
        using var stream = new MemoryStream(bytes);
        await _s3.PutObjectAsync(new PutObjectRequest { BucketName = Name, Key = key, InputStream = stream, UseChunkEncoding = false });
    }

    public Task DeleteAsync(string key) => _s3.DeleteObjectAsync(Name, key);

    /// <summary>All keys, with the moment in which each was last written to.</summary>
    public async Task<Dictionary<string, DateTime>> ListAsync()
    {
        var keys = new Dictionary<string, DateTime>();
        await foreach (var found in _s3.Paginators.ListObjectsV2(new ListObjectsV2Request { BucketName = Name }).S3Objects) keys.Add(found.Key, found.LastModified!.Value);
        return keys;
    }

    /// <returns>Its URL. It ends with this process.</returns>
    private static async Task<string> StartAsync()
    {
        var start = new ProcessStartInfo("bash", [Path.Combine(Parts.Root, "tests", "Fixture", "swift-s3"), Path.Combine(Parts.State, "systems", $"swift_{Guid.NewGuid():N}"[..14]), AccessKey, SecretKey]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        _server = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        return await _server.StandardOutput.ReadLineAsync(limit.Token) is { } port ? $"http://127.0.0.1:{port}" : throw new InvalidOperationException("OpenStack Swift ended at its start.");
    }
}
