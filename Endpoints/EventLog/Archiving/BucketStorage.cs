using System.IO.MemoryMappedFiles;
using System.Text.RegularExpressions;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Signup.EventLog.Archiving;

/// <summary>
/// A bucket that speaks S3. Needs no more of it than what every one has: to put an object, which is there as a whole or not at all, to get one, and to list them.
/// Files are read as a whole, into nameless files of the system's temporary directory: who asks for one part of a file mostly asks for another one next, and a request takes longer than to read it all.
/// </summary>
internal sealed partial class BucketStorage : ArchiveStorage
{
    /// <summary>Of files that were checked and may be read in again: some 14 MB each, with 100,000 events.</summary>
    private const int CopiesKept = 16;

    /// <summary>A file that has not come, or gone, by then does not. As long as the database waits for who archives.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    private readonly IAmazonS3 _s3;
    private readonly string _bucket, _prefix;
    private readonly Lock _lock = new();

    /// <summary>Those read in last come last.</summary>
    private readonly List<Copy> _copies = [];

    private BucketStorage(IAmazonS3 s3, string bucket, string prefix) => (_s3, _bucket, _prefix) = (s3, bucket, prefix);

    /// <summary>Null where it is no bucket.</summary>
    /// <param name="target">Such as <c>s3://bucket/prefix</c>. Who may read there, and where it is, is told as every program is told that speaks S3: https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html.</param>
    /// <exception cref="InvalidOperationException">Where it is was not told.</exception>
    public static BucketStorage? Of(string target)
    {
        if (Target().Match(target) is not { Success: true } match) return null;
        try
        {
            return new(new AmazonS3Client(Configuration()), match.Groups["bucket"].Value, match.Groups["prefix"] is { Success: true, Value: var prefix } ? $"{prefix}/" : "");
        }
        catch (AmazonClientException e)
        {
            throw new InvalidOperationException($"The setting Archive:Target is {target}, and where that is was not told: set AWS_REGION for a bucket of Amazon's, else AWS_ENDPOINT_URL_S3, such as https://s3.example.org ({e.Message}).", e);
        }
    }

    public override string Place => $"s3://{_bucket}/{_prefix}".TrimEnd('/');

    public override async Task WriteAsync(Func<FileStream, Task<string>> write, CancellationToken cancellation)
    {
        await using var file = Nameless();
        var name = await write(file);
        file.Position = 0;
        // Not in chunks: signed as a whole, so whatever arrives differently is refused.
        var request = new PutObjectRequest { BucketName = _bucket, Key = $"{_prefix}{name}", InputStream = file, AutoCloseStream = false, UseChunkEncoding = false };
        try
        {
            await AskAsync(token => _s3.PutObjectAsync(request, token), cancellation);
        }
        catch (IOException e)
        {
            throw new IOException($"{Place}/{name} cannot be written: {e.Message}", e);
        }
    }

    public override async Task<Stream> OpenAsync(string file, bool again, Func<Stream, CancellationToken, Task> check, CancellationToken cancellation)
    {
        if (!again) return await FetchAsync(file, check, cancellation);
        var copy = Take();
        try
        {
            var (mapped, length) = await copy.Fetched.WaitAsync(cancellation);
            return mapped.CreateViewStream(0, length, MemoryMappedFileAccess.Read);
        }
        finally
        {
            Leave(copy);
        }

        Copy Take()
        {
            lock (_lock)
            {
                // Fetched for all who wait for it, whoever of them gives up.
                var found = _copies.Find(c => c.File == file) ?? new Copy(file, Task.Run(() => CopyAsync(file, check), CancellationToken.None));
                found.Users++;
                _copies.Remove(found);
                _copies.Add(found);
                return found;
            }
        }
    }

    private void Leave(Copy copy)
    {
        lock (_lock)
        {
            copy.Users--;
            _copies.RemoveAll(c => c.Users == 0 && c.Fetched.IsFaulted);
            foreach (var old in _copies.Where(c => c.Users == 0 && c.Fetched.IsCompleted).Take(_copies.Count - CopiesKept).ToList())
            {
                _copies.Remove(old);
                // What is being read in it stays mapped.
                old.Fetched.Result.File.Dispose();
            }
        }
    }

    public override Task<IReadOnlyList<string>> FilesAsync(string prefix, CancellationToken cancellation) => AskAsync(async token =>
    {
        var names = new List<string>();
        await foreach (var found in _s3.Paginators.ListObjectsV2(new ListObjectsV2Request { BucketName = _bucket, Prefix = $"{_prefix}{prefix}", Delimiter = "/" }).S3Objects.WithCancellation(token)) names.Add(found.Key[_prefix.Length..]);
        return (IReadOnlyList<string>)names;
    }, cancellation);

    private async Task<(MemoryMappedFile File, long Length)> CopyAsync(string file, Func<Stream, CancellationToken, Task> check)
    {
        var copy = await FetchAsync(file, check, CancellationToken.None);
        return (MemoryMappedFile.CreateFromFile(copy, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false), copy.Length);
    }

    private async Task<FileStream> FetchAsync(string name, Func<Stream, CancellationToken, Task> check, CancellationToken cancellation)
    {
        var file = Nameless();
        try
        {
            await AskAsync(async token =>
            {
                using var answer = await _s3.GetObjectAsync(_bucket, $"{_prefix}{name}", token);
                await answer.ResponseStream.CopyToAsync(file, token);
                return file;
            }, cancellation);
            file.Position = 0;
            await check(file, cancellation);
            return file;
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whatever goes wrong with a bucket is one thing to us.</summary>
    private static async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Longest);
        try
        {
            return await ask(limit.Token);
        }
        catch (AmazonS3Exception e) when (e.ErrorCode == "NoSuchKey")
        {
            throw new FileNotFoundException(e.Message, e);
        }
        catch (AmazonServiceException e)
        {
            throw new IOException($"the bucket's server answers {(int)e.StatusCode} {e.ErrorCode}: {e.Message}", e);
        }
        catch (Exception e) when (e is AmazonClientException or HttpRequestException)
        {
            throw new IOException(e.Message.ReplaceLineEndings(" "), e);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"it took longer than {Longest.TotalSeconds:0} s", e);
        }
    }

    /// <summary>A file that is gone with the process, however that ends.</summary>
    private static FileStream Nameless()
    {
        var path = Path.Combine(Path.GetTempPath(), $"signup-archive-{Guid.NewGuid():N}");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Delete, Options = FileOptions.DeleteOnClose };
        // Nobody else's to read.
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(path, options);
        if (!OperatingSystem.IsWindows()) File.Delete(path);
        return file;
    }

    private sealed class Copy(string file, Task<(MemoryMappedFile File, long Length)> fetched)
    {
        public string File => file;
        public Task<(MemoryMappedFile File, long Length)> Fetched => fetched;

        /// <summary>Who wait for it, or are about to open it: with any it is not let go.</summary>
        public int Users { get; set; }
    }

    private static AmazonS3Config Configuration()
    {
        // What AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or the profile says.
        var endpoint = new AmazonS3Config().ServiceURL;
        var configuration = endpoint is null
            ? new AmazonS3Config()
            // Not every server has a name for each bucket; all know them by path.
            : new AmazonS3Config { ServiceURL = endpoint, AuthenticationRegion = FallbackRegionFactory.GetRegionEndpoint(false)?.SystemName ?? "us-east-1", ForcePathStyle = true };
        configuration.Timeout = Longest;
        // Files have a checksum of their own; servers other than Amazon's may not know these.
        configuration.RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED;
        configuration.ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED;
        return configuration;
    }

    [GeneratedRegex("^s3://(?<bucket>[A-Za-z0-9][A-Za-z0-9._-]*)(/(?<prefix>[^/?#][^?#]*?))?/?$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Target();
}
