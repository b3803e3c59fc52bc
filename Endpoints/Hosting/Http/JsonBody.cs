using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;

namespace Signup.Hosting.Http;

/// <summary>A request's body at a door between endpoints: JSON in UTF-8, whatever the request calls it. (Binding it to a parameter would fail on a Content-Type with a charset that does not exist.)</summary>
public static class JsonBody
{
    /// <exception cref="FormatException">It is not what it must be. Says why.</exception>
    public static async Task<T> ReadAsync<T>(HttpContext http, JsonSerializerOptions options) where T : class
    {
        using var bytes = new MemoryStream();
        await http.Request.Body.CopyToAsync(bytes, http.RequestAborted);
        var body = bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
        if (!Utf8.IsValid(body.Span)) throw new FormatException("The body is not UTF-8.");
        try
        {
            return JsonSerializer.Deserialize<T>(body.Span, options) ?? throw new FormatException("The body is empty.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FormatException($"The body is not what it must be: {e.Message}", e);
        }
    }
}
