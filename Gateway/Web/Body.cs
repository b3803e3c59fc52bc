using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Signup.Gateway.Web;

/// <summary>Why a request's body cannot be used at all.</summary>
public enum BodyFault { TooLarge, WrongType, Encoded, Broken, NotAnObject, NotUtf8 }

/// <summary>A request's body, read whole and with a limit, since nothing that anyone fills in here is large.</summary>
public static class Body
{
    /// <summary>Bytes: what the largest valid form needs, percent-encoded, three times over.</summary>
    public const int Limit = 16 * 1024;

    // A name that comes twice means one thing to whoever looks at the first and another to whoever looks at the last.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    public static bool IsForm(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.MediaType.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase);

    /// <summary>The body as a JSON object, or why not.</summary>
    public static async Task<(JsonElement Object, BodyFault? Fault)> ReadJsonAsync(HttpRequest request, CancellationToken cancellation)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !IsJson(type) || !IsUtf8(type)) return (default, BodyFault.WrongType);
        if (IsEncoded(request)) return (default, BodyFault.Encoded);
        if (await ReadAsync(request, Limit, cancellation) is not { } bytes) return (default, BodyFault.TooLarge);
        try
        {
            if (!Utf8.IsValid(bytes)) return (default, BodyFault.Broken);
            using var document = JsonDocument.Parse(bytes, Strict);
            return document.RootElement.ValueKind == JsonValueKind.Object ? (document.RootElement.Clone(), null) : (default, BodyFault.NotAnObject);
        }
        // A name with half of a surrogate pair is found when names are compared, and thrown as an invalid operation.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return (default, BodyFault.Broken);
        }
    }

    /// <summary>The body as a form's fields, or why not.</summary>
    public static async Task<(IReadOnlyDictionary<string, StringValues> Fields, BodyFault? Fault)> ReadFormAsync(HttpRequest request, CancellationToken cancellation)
    {
        var none = new Dictionary<string, StringValues>();
        if (!IsForm(request) || !IsUtf8(MediaTypeHeaderValue.Parse(request.ContentType))) return (none, BodyFault.WrongType);
        if (IsEncoded(request)) return (none, BodyFault.Encoded);
        if (await ReadAsync(request, Limit, cancellation) is not { } bytes) return (none, BodyFault.TooLarge);
        // What is no UTF-8 behind its percent signs would stay as it is, and a name be taken literally: J%F6rg.
        if (!Utf8.IsValid(bytes) || !Utf8.IsValid(WebUtility.UrlDecodeToBytes(bytes, 0, bytes.Length))) return (none, BodyFault.NotUtf8);
        // A form is encoded as a query string is.
        return (QueryHelpers.ParseQuery(Encoding.UTF8.GetString(bytes)), null);
    }

    private static bool IsJson(MediaTypeHeaderValue type) =>
        type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase);

    /// <summary>By whichever name; ASCII is a part of it.</summary>
    private static bool IsUtf8(MediaTypeHeaderValue type) => HeaderUtilities.RemoveQuotes(type.Charset).ToString().ToLowerInvariant() is "" or "utf-8" or "utf8" or "us-ascii";

    /// <summary>Compressed, such as by gzip, which nobody needs for a form.</summary>
    private static bool IsEncoded(HttpRequest request) => request.Headers.ContentEncoding.ToString() is { Length: > 0 } coding && !coding.Equals("identity", StringComparison.OrdinalIgnoreCase);

    /// <summary>All of the body; null where it is over the limit.</summary>
    public static async Task<byte[]?> ReadAsync(HttpRequest request, int limit, CancellationToken cancellation)
    {
        if (request.ContentLength > limit) return null;
        var buffer = ArrayPool<byte>.Shared.Rent(limit + 1);
        try
        {
            var length = await request.Body.ReadAtLeastAsync(buffer.AsMemory(0, limit + 1), limit + 1, throwOnEndOfStream: false, cancellation);
            return length > limit ? null : buffer.AsSpan(0, length).ToArray();
        }
        finally
        {
            // It held a password.
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }
}
