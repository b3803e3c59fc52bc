using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Signup.EventLog.Accounts;
using Signup.EventLog.Operations;
using Published = Signup.Messages;

namespace Signup.EventLog;

/// <summary>One kind of event: its frozen name in the log, its stored class, and the message that tells others of it.</summary>
public sealed record EventType(string Name, Type Stored, Type Message)
{
    /// <summary>What Marten notes with an event, and reads it by where its name is not known to it.</summary>
    public string DotNetName { get; } = $"{Stored.FullName}, {Stored.Assembly.GetName().Name}";

    /// <summary>Whether there are personal texts in it.</summary>
    public bool IsPersonal => Personal.Count > 0;

    /// <summary>Its personal texts, by their names in JSON, in whatever case.</summary>
    internal IReadOnlyDictionary<string, PersonalField> Personal { get; } = Stored.GetProperties().Select(p => (Property: p, Personal: p.GetCustomAttribute<PersonalAttribute>())).Where(p => p.Personal is not null)
        .ToDictionary(p => JsonNamingPolicy.CamelCase.ConvertName(p.Property.Name), p => new PersonalField(JsonNamingPolicy.CamelCase.ConvertName(p.Property.Name), p.Personal!.IsAddress), StringComparer.OrdinalIgnoreCase);

    /// <summary>The name in JSON of the field that says whether it forgets who the stream is about; null: it has none.</summary>
    internal string? Forgets { get; } = Stored.GetProperties().FirstOrDefault(p => p.IsDefined(typeof(ForgetsAttribute))) is { } property ? JsonNamingPolicy.CamelCase.ConvertName(property.Name) : null;
}

/// <param name="Name">In JSON.</param>
internal sealed record PersonalField(string Name, bool IsAddress);

/// <summary>Every kind of event the log knows. The names are frozen: classes may move, names may not.</summary>
public static class EventTypes
{
    public static readonly IReadOnlyList<EventType> All =
    [
        Type<AccountCreated, Published.Accounts.AccountCreated>("AccountCreated"),
        Type<AccountActivated, Published.Accounts.AccountActivated>("AccountActivated"),
        Type<AccountExpired, Published.Accounts.AccountExpired>("AccountExpired"),
        Type<EmailChangeRequested, Published.Accounts.EmailChangeRequested>("EmailChangeRequested"),
        Type<EmailChanged, Published.Accounts.EmailChanged>("EmailChanged"),
        Type<AccountDeleted, Published.Accounts.AccountDeleted>("AccountDeleted"),
        Type<PasswordRehashed, Published.Accounts.PasswordRehashed>("PasswordRehashed"),
        Type<PasswordChanged, Published.Accounts.PasswordChanged>("PasswordChanged"),
        Type<PasswordResetRequested, Published.Accounts.PasswordResetRequested>("PasswordResetRequested"),
        Type<SignUpAttempted, Published.Accounts.SignUpAttempted>("SignUpAttempted"),
        Type<UsernameChanged, Published.Accounts.UsernameChanged>("UsernameChanged"),
        Type<SignedInToApplication, Published.Accounts.SignedInToApplication>("SignedInToApplication"),
        Type<SignedOut, Published.Accounts.SignedOut>("SignedOut"),
        Type<SignedOutEverywhere, Published.Accounts.SignedOutEverywhere>("SignedOutEverywhere"),
        Type<ActivationMailSent, Published.Mail.ActivationMailSent>("ActivationMailSent"),
        Type<ActivationMailFailed, Published.Mail.ActivationMailFailed>("ActivationMailFailed"),
        Type<MailSent, Published.Mail.MailSent>("MailSent"),
        Type<MailFailed, Published.Mail.MailFailed>("MailFailed"),
        Type<MailDelivered, Published.Mail.MailDelivered>("MailDelivered"),
        Type<MailBounced, Published.Mail.MailBounced>("MailBounced"),
        Type<MailComplained, Published.Mail.MailComplained>("MailComplained"),
        Type<MessageRetried, Published.Operations.MessageRetried>("MessageRetried"),
        Type<MessageDiscarded, Published.Operations.MessageDiscarded>("MessageDiscarded"),
        Type<EventsDropped, Published.Operations.EventsDropped>("EventsDropped"),
        Type<EventsRestored, Published.Operations.EventsRestored>("EventsRestored"),
    ];

    private static readonly Dictionary<string, EventType> ByName = All.ToDictionary(t => t.Name, StringComparer.Ordinal);
    private static readonly Dictionary<Type, EventType> ByStored = All.ToDictionary(t => t.Stored);

    /// <summary>The kind with this name, or null.</summary>
    public static EventType? Find(string name) => ByName.GetValueOrDefault(name);

    public static EventType Of(object stored) => ByStored[stored.GetType()];

    /// <summary>The event as its class; null where this version of the code does not know its kind.</summary>
    /// <exception cref="JsonException">It is of another shape.</exception>
    public static object? Read(LoggedEvent e) => Find(e.Type) is { } type ? JsonSerializer.Deserialize(e.Data, type.Stored, LogJson.Options) : null;

    /// <summary>The message that tells others of a stored event: what the message's class names, and nothing else, so that
    /// secrets (a password's hash) stay in the log.</summary>
    /// <param name="version">The event's number in its stream.</param>
    /// <exception cref="JsonException">It is of another shape.</exception>
    public static object ToMessage(EventType type, string data, Guid streamId, long version)
    {
        var json = JsonNode.Parse(data)!.AsObject();
        json["accountId"] = JsonValue.Create(streamId);
        json["version"] = JsonValue.Create(version);
        return json.Deserialize(type.Message, LogJson.Options)!;
    }

    /// <summary>A stored event's JSON as anyone may see it: only what the published message names, too.</summary>
    public static JsonObject WithoutSecrets(string name, string data)
    {
        var json = JsonNode.Parse(data)!.AsObject();
        var open = Find(name)?.Message.GetProperties().Select(p => p.Name) ?? [];
        foreach (var secret in json.Select(p => p.Key).Except(open, StringComparer.OrdinalIgnoreCase).ToList()) json.Remove(secret);
        return json;
    }

    private static EventType Type<TStored, TMessage>(string name) => new(name, typeof(TStored), typeof(TMessage));
}
