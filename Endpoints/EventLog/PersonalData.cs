using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Signup.EventLog;

/// <summary>A text by which somebody can be known, or a secret of theirs: the log holds it sealed, see <see cref="PersonalData"/>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PersonalAttribute : Attribute
{
    /// <summary>Whether it is an e-mail address, of which history is to know that it is the same again.</summary>
    public bool IsAddress { get; init; }
}

/// <summary>A truth value: where it is true, nobody can read any more who the stream is about.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ForgetsAttribute : Attribute;

/// <summary>
/// How personal texts stand in the log: instead of <c>"ada@example.org"</c> it holds <c>{ "sealed": "…", "hash": "…" }</c>. What is sealed can be read by its stream's key (<see cref="PersonalKeys"/>),
/// and by nobody once that is destroyed. The hash, which addresses have, is the same for the same address, however it is written, and tells no more than that.
/// <para>
/// <c>sealed</c>: Base64 of a byte 1, the nonce (12 bytes), the text in UTF-8 by AES-256-GCM (NIST SP 800-38D), and its tag (16 bytes); stream, kind of event and field are authenticated with it, so that
/// none can be put in another's place. <c>hash</c>: Base64 of the first 16 bytes of the HMAC-SHA256 of the address in the form in which addresses are compared.
/// </para>
/// A text that is not sealed is what it says. An empty one is that of somebody who was forgotten: nothing that is personal is ever empty.
/// </summary>
public static class PersonalData
{
    private const string Sealed = "sealed", Hash = "hash";
    private const byte Scheme = 1;
    private const int NonceLength = 12, TagLength = 16, HashLength = 16;

    /// <summary>The event's JSON as it is stored.</summary>
    /// <param name="key">Of its stream.</param>
    /// <param name="hashKey">The same for all.</param>
    internal static string Seal(EventType type, Guid stream, string data, byte[] key, byte[] hashKey)
    {
        if (JsonNode.Parse(data) is not JsonObject json) return data;
        using var aes = new AesGcm(key, TagLength);
        foreach (var (written, value) in json.ToList())
        {
            if (!type.Personal.TryGetValue(written, out var field) || value?.GetValueKind() != JsonValueKind.String || value.GetValue<string>() is not { Length: > 0 } text) continue;
            var stored = new JsonObject { [Sealed] = Seal(aes, text, Label(type, stream, field.Name)) };
            if (field.IsAddress) stored[Hash] = Convert.ToBase64String(HMACSHA256.HashData(hashKey, Encoding.UTF8.GetBytes(EmailAddress.Comparable(text))).AsSpan(0, HashLength));
            json[written] = stored;
        }
        return json.ToJsonString(LogJson.Options);
    }

    /// <summary>The event's JSON as its class has it. What is sealed and cannot be opened by this key stays as it is, and fits no class.</summary>
    /// <param name="key">Of its stream; null: destroyed, and each text is empty.</param>
    public static string Open(EventType type, Guid stream, string data, byte[]? key)
    {
        if (!type.IsPersonal) return data;
        using var json = JsonDocument.Parse(data);
        if (!IsSealed(type, json.RootElement)) return data;
        using var aes = key is null ? null : new AesGcm(key, TagLength);
        var opened = new ArrayBufferWriter<byte>(data.Length);
        using (var writer = new Utf8JsonWriter(opened, new JsonWriterOptions { Encoder = LogJson.Options.Encoder }))
        {
            writer.WriteStartObject();
            foreach (var property in json.RootElement.EnumerateObject())
            {
                var text = !IsSealed(type, property) ? null : aes is null ? "" : Open(aes, property.Value, Label(type, stream, type.Personal[property.Name].Name));
                if (text is null) property.WriteTo(writer);
                else writer.WriteString(property.Name, text);
            }
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(opened.WrittenSpan);
    }

    /// <summary>Whether anything in it can be read by the stream's key only.</summary>
    public static bool IsSealed(EventType type, string data)
    {
        if (!type.IsPersonal) return false;
        using var json = JsonDocument.Parse(data);
        return IsSealed(type, json.RootElement);
    }

    /// <summary>Whether after this event nobody is to know any more who its stream is about.</summary>
    public static bool Forgets(EventType type, string data)
    {
        if (type.Forgets is null) return false;
        using var json = JsonDocument.Parse(data);
        return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(type.Forgets, out var value) && value.ValueKind == JsonValueKind.True;
    }

    private static bool IsSealed(EventType type, JsonElement json) => json.ValueKind == JsonValueKind.Object && json.EnumerateObject().Any(p => IsSealed(type, p));

    private static bool IsSealed(EventType type, JsonProperty property) =>
        property.Value.ValueKind == JsonValueKind.Object && type.Personal.ContainsKey(property.Name) && property.Value.TryGetProperty(Sealed, out var value) && value.ValueKind == JsonValueKind.String;

    private static byte[] Label(EventType type, Guid stream, string field) => Encoding.UTF8.GetBytes($"{stream}/{type.Name}/{field}");

    private static string Seal(AesGcm aes, string text, byte[] label)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var blob = new byte[1 + NonceLength + plain.Length + TagLength];
        blob[0] = Scheme;
        var nonce = blob.AsSpan(1, NonceLength);
        RandomNumberGenerator.Fill(nonce);
        aes.Encrypt(nonce, plain, blob.AsSpan(1 + NonceLength, plain.Length), blob.AsSpan(^TagLength), label);
        return Convert.ToBase64String(blob);
    }

    /// <returns>Null where it cannot be opened: it was altered, or was sealed with another key, or in another place.</returns>
    private static string? Open(AesGcm aes, JsonElement stored, byte[] label)
    {
        if (!stored.GetProperty(Sealed).TryGetBytesFromBase64(out var blob) || blob.Length <= 1 + NonceLength + TagLength || blob[0] != Scheme) return null;
        try
        {
            var plain = new byte[blob.Length - 1 - NonceLength - TagLength];
            aes.Decrypt(blob.AsSpan(1, NonceLength), blob.AsSpan(1 + NonceLength, plain.Length), blob.AsSpan(^TagLength), plain, label);
            return Encoding.UTF8.GetString(plain);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}
