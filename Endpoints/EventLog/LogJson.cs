using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Signup.EventLog;

/// <summary>How events are written in the log: camelCase, enums by name, every field of a record required.</summary>
public static class LogJson
{
    public static readonly JsonSerializerOptions Options = Configure(new JsonSerializerOptions { TypeInfoResolverChain = { StoredContracts.Default, MessageContracts.Default, new DefaultJsonTypeInfoResolver() } });

    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.PropertyNameCaseInsensitive = true;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.Converters.Add(new JsonStringEnumConverter());
        return options;
    }
}
