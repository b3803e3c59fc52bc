using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Signup.EventLog;

namespace Signup.Hosting;

/// <summary>
/// Tells whoever subscribes of the log's events of some kinds, by following the log: whoever appends one has nothing else to do, and what is in the log is published,
/// whatever dies when. In the log's order, with the event's id as message id; a crash between publishing and checkpoint publishes again.
/// </summary>
/// <param name="schema">The database schema that holds its checkpoint.</param>
/// <param name="kinds">As <see cref="EventTypes"/> names them.</param>
public sealed partial class EventPublisher(string schema, IReadOnlyCollection<string> kinds, NpgsqlDataSource database, Broker broker, Wire wire, ILogger<EventPublisher> logger)
    : IProjection, IAsyncDisposable
{
    private readonly LazyChannel _channel = new(broker.OpenConfirmingChannelAsync);

    public string Name => $"{schema}.published";

    /// <summary>Signalled by whoever has appended such an event.</summary>
    public WakeUp WakeUp { get; } = new();

    public async Task EnsureAsync(CancellationToken cancellation)
    {
        await using var command = database.CreateCommand($"""
            select pg_advisory_xact_lock(hashtext('{Name}'));
            create schema if not exists {schema};
            create table if not exists {Name} (one boolean primary key default true check (one), position bigint not null);
            insert into {Name} (position) values (0) on conflict do nothing;
            """);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    public async Task<long> PositionAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"select position from {Name}", connection);
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    public async Task<long?> LockAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"select position from {Name} for update skip locked", connection);
        return (long?)await command.ExecuteScalarAsync(cancellation);
    }

    public async Task ApplyAsync(NpgsqlConnection connection, IReadOnlyList<LoggedEvent> events, CancellationToken cancellation)
    {
        var channel = await _channel.GetAsync(cancellation);
        await Task.WhenAll(events.Where(e => kinds.Contains(e.Type)).Select(PublishAsync));
        await using var command = new NpgsqlCommand($"update {Name} set position = $1", connection) { Parameters = { new() { Value = events[^1].Position } } };
        await command.ExecuteNonQueryAsync(cancellation);

        async Task PublishAsync(LoggedEvent e)
        {
            if (Message(e) is not { } message) return;
            var properties = wire.Describe(message.GetType(), e.EventId, "Publish", replyTo: null, correlationId: e.EventId.ToString());
            await channel.BasicPublishAsync(Topology.ExchangeOf(message.GetType()), routingKey: "", mandatory: false, properties,
                JsonSerializer.SerializeToUtf8Bytes(message, message.GetType(), Wire.Json), cancellation);
        }
    }

    public ValueTask DisposeAsync() => _channel.DisposeAsync();

    private object? Message(LoggedEvent e)
    {
        try
        {
            return EventTypes.Read(e) is { } stored ? EventTypes.ToMessage(stored, e.StreamId, e.Version) : null;
        }
        catch (JsonException exception)
        {
            // It will not become another. The others do not wait for it.
            Unreadable(logger, exception, e.Type, e.Position);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The {Type} at position {Position} cannot be read, and is not published")]
    private static partial void Unreadable(ILogger logger, Exception e, string type, long position);
}

public static class EventPublisherServices
{
    /// <summary>Events of its own process signal it. Those of another one are published by that one, or after so long.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);

    /// <inheritdoc cref="EventPublisher"/>
    public static void AddEventPublisher(this IServiceCollection services, string schema, params string[] kinds)
    {
        services.AddSingleton(s => ActivatorUtilities.CreateInstance<EventPublisher>(s, schema, kinds));
        services.AddSingleton(s => ActivatorUtilities.CreateInstance<LogFollower<EventPublisher>>(s, s.GetRequiredService<EventPublisher>().WakeUp, Rest));
        services.AddHostedService(s => s.GetRequiredService<LogFollower<EventPublisher>>());
        services.AddSingleton<ProjectionLag<EventPublisher>>().AddHealthChecks().AddCheck<ProjectionLag<EventPublisher>>("published-events");
    }
}
