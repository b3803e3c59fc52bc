using System.Text.Json;
using Signup.EventLog;
using Signup.Hosting.RabbitMq;

namespace Signup.Tests.Contract;

public class messages_on_the_wire
{
    private static readonly Type[] Contracts = [.. typeof(Messages.Accounts.SignUp).Assembly.GetExportedTypes()];

    public static TheoryData<string> Messages() => [.. Contracts.Where(t => !t.IsEnum).Select(Name)];
    public static TheoryData<string> Enums() => [.. Contracts.Where(t => t.IsEnum).Select(Name)];

    [Theory, MemberData(nameof(Messages))]
    public void have_the_shape_that_others_rely_on(string name) =>
        Snapshot.Matches("messages", name, JsonSerializer.Serialize(Sample.Of(Find(name)), Wire.Json));

    [Theory, MemberData(nameof(Enums))]
    public void have_the_words_that_others_rely_on(string name) =>
        Snapshot.Matches("messages", name, JsonSerializer.Serialize(Enum.GetNames(Find(name)), Wire.Json));

    [Theory, MemberData(nameof(Messages))]
    public void are_read_as_they_were_written(string name)
    {
        var json = Repository.Read("tests", "Contract", "snapshots", "messages", name + ".json");
        var read = JsonSerializer.Deserialize(json, Find(name), Wire.Json)!;
        Assert.Equal(JsonSerializer.Serialize(Sample.Of(Find(name)), Wire.Json), JsonSerializer.Serialize(read, read.GetType(), Wire.Json));
    }

    [Theory, MemberData(nameof(Messages))]
    public void are_read_by_an_endpoint_that_has_our_classes_and_no_settings(string name)
    {
        var json = Repository.Read("tests", "Contract", "snapshots", "messages", name + ".json");
        var read = JsonSerializer.Deserialize(json, Find(name))!;
        Assert.Equal(JsonSerializer.Serialize(Sample.Of(Find(name)), Wire.Json), JsonSerializer.Serialize(read, read.GetType(), Wire.Json));
        Assert.Equal(JsonSerializer.Serialize(read, read.GetType(), Wire.Json), JsonSerializer.Serialize(read, read.GetType()));
    }

    /// <summary>The fallback, for what is no contract, compiles code in every process that starts.</summary>
    [Theory, MemberData(nameof(Messages))]
    public void are_read_and_written_by_code_that_was_generated(string name) => Assert.NotNull(Wire.Json.TypeInfoResolverChain[0].GetTypeInfo(Find(name), Wire.Json));

    [Fact]
    public void are_never_taken_away() => Assert.Equal(Contracts.Select(Name).Order(), Snapshot.Names("messages").Order());

    [Fact]
    public void are_flat_records_without_behaviour()
    {
        var withBehaviour = Contracts.Where(t => !t.IsEnum && (!t.IsSealed || t.BaseType != typeof(object)
            || t.GetMethods().Any(m => m.DeclaringType == t && !m.IsSpecialName && m.Name is not ("ToString" or "GetHashCode" or "Equals" or "Deconstruct" or "<Clone>$"))));
        Assert.Empty(withBehaviour);
    }

    private static string Name(Type type) => type.FullName!["Signup.Messages.".Length..];
    private static Type Find(string name) => Contracts.Single(t => Name(t) == name);
}

public class events_in_the_log
{
    public static TheoryData<string> Events() => [.. EventTypes.All.Select(t => t.Name)];

    [Theory, MemberData(nameof(Events))]
    public void are_read_and_written_by_code_that_was_generated(string name) => Assert.NotNull(LogJson.Options.TypeInfoResolverChain[0].GetTypeInfo(EventTypes.Find(name)!.Stored, LogJson.Options));

    [Theory, MemberData(nameof(Events))]
    public void have_the_shape_that_is_in_the_log_for_ever(string name) =>
        Snapshot.Matches("log", name, JsonSerializer.Serialize(Sample.Of(EventTypes.Find(name)!.Stored), LogJson.Options));

    [Theory, MemberData(nameof(Events))]
    public void are_read_as_they_were_stored(string name)
    {
        var stored = EventTypes.Find(name)!.Stored;
        var json = Repository.Read("tests", "Contract", "snapshots", "log", name + ".json");
        Assert.Equal(Sample.Of(stored), JsonSerializer.Deserialize(json, stored, LogJson.Options));
    }

    [Fact]
    public void are_never_taken_away_or_renamed() => Assert.Equal(EventTypes.All.Select(t => t.Name).Order(), Snapshot.Names("log").Order());

    [Theory, MemberData(nameof(Events))]
    public void are_published_without_what_only_the_log_may_know(string name)
    {
        var type = EventTypes.Find(name)!;
        var message = JsonSerializer.SerializeToElement(EventTypes.ToMessage(type, JsonSerializer.Serialize(Sample.Of(type.Stored), type.Stored, LogJson.Options), Guid.NewGuid(), 7), type.Message, Wire.Json);
        Assert.DoesNotContain("hash", message.GetRawText(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(7, message.GetProperty("Version").GetInt64());
    }
}
