using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using RabbitMQ.Client;
using Signup.EventLog;
using Signup.Hosting.Handling;
using Signup.Hosting.RabbitMq;

namespace Signup.Hosting.Following;

/// <summary>
/// Tells whoever subscribes of everything that happens, by following the log: whoever appends has nothing else to do. What is in the log and behind the checkpoint is what
/// is still to be published; there is no other outbox. In the log's order, each event with its own id as message id; a crash between publishing and checkpoint publishes again.
/// It runs in every process that appends, and is woken by what that process has committed. One at a time publishes, whichever gets the checkpoint's row.
/// </summary>
public sealed partial class EventPublisher : IProjection, IAsyncDisposable
{
    /// <summary>How long the broker may take to confirm a batch. Shorter than a transaction may be idle.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    private readonly NpgsqlDataSource _database;
    private readonly Broker _broker;
    private readonly Wire _wire;
    private readonly ILogger<EventPublisher> _logger;
    private readonly LazyChannel _channel;

    public EventPublisher(NpgsqlDataSource database, Broker broker, Wire wire, ILogger<EventPublisher> logger)
    {
        (_database, _broker, _wire, _logger) = (database, broker, wire, logger);
        _channel = new LazyChannel(OpenAsync);
    }

    public string Name => "publisher.checkpoint";

    public Checkpoint Checkpoint { get; } = new("publisher.checkpoint");

    /// <summary>Signalled by whoever has appended events.</summary>
    public WakeUp WakeUp { get; } = new();

    public async Task EnsureAsync(CancellationToken cancellation)
    {
        await using var command = _database.CreateCommand($"""
            select pg_advisory_xact_lock(hashtextextended('signup.publisher', 0));
            create schema if not exists publisher;
            create table if not exists publisher.checkpoint (one boolean primary key default true check (one), position bigint not null);
            do $$
            declare
                begun  bigint := 0;
                outbox regclass;
                unsent bigint;
            begin
                if exists (select from publisher.checkpoint) then return; end if;
                -- An earlier version has published from outboxes of its own. It goes on behind that, with what was left in them.
                for outbox in select c.oid from pg_class c where c.relname = 'wolverine_outgoing_envelopes' and c.relkind = 'r' loop
                    if begun = 0 then
                        lock table {LogStore.Streams} in share mode; -- until nobody is about to append
                        select coalesce(max(seq_id), 0) into begun from {LogStore.Events};
                    end if;
                    execute format($f$
                        select min(e.seq_id) - 1 from (
                            select substring(text from '"(?:AccountId|FailureId)":"([0-9a-f-]+)"')::uuid as id, substring(text from '"Version":([0-9]+)')::bigint as version
                            from (select encode(body, 'escape') as text from %s) bodies) o
                        join {LogStore.Events} e on e.stream_id = o.id and (e.version = o.version or o.version is null)
                        $f$, outbox) into unsent;
                    begun := least(begun, unsent);
                end loop;
                if to_regclass('mail.published') is not null then
                    execute 'select position from mail.published' into unsent;
                    begun := least(begun, unsent);
                end if;
                insert into publisher.checkpoint (position) values (begun);
            end $$;
            """);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    public async Task ApplyAsync(NpgsqlConnection connection, Stretch next, CancellationToken cancellation)
    {
        var events = next.Events;
        if (_broker.BlockedBy is { } reason) throw new BrokerUnavailableException($"RabbitMQ takes no messages at present: {reason}.");
        var channel = await _channel.GetAsync(cancellation);
        var known = events.TakeWhile(e => e.Type == LogStore.Tombstone || EventTypes.Find(e.Type) is not null).ToList();
        if (known.Count == 0) throw new InvalidDataException($"The event at position {events[0].Position} is of the kind '{events[0].Type}', which is unknown here. A newer version has appended it, and publishes it.");
        // Each is begun after the one before, on one channel, so they go out in order.
        await Task.WhenAll(known.Select(e => PublishAsync(channel, e, cancellation))).WaitAsync(Patience, cancellation);
        await Checkpoint.MoveAsync(connection, next.Partition, known[^1].Position, cancellation);
    }

    public ValueTask DisposeAsync() => _channel.DisposeAsync();

    /// <summary>How the message that tells of it is described.</summary>
    internal static BasicProperties Describe(Wire wire, EventType type, LoggedEvent e)
    {
        using var _ = e.Cause.Enter();
        return wire.Describe(type.Message, e.EventId, "Publish", replyTo: null, Cause.Current!.CorrelationId ?? e.EventId.ToString());
    }

    private async Task PublishAsync(IChannel channel, LoggedEvent e, CancellationToken cancellation)
    {
        if (e.Type == LogStore.Tombstone) return;
        var type = EventTypes.Find(e.Type)!;
        if (Body(type, e) is not { } body) return;
        await channel.BasicPublishAsync(Topology.ExchangeOf(type.Message), routingKey: "", mandatory: false, Describe(_wire, type, e), body, cancellation);
    }

    private byte[]? Body(EventType type, LoggedEvent e)
    {
        try
        {
            return JsonSerializer.SerializeToUtf8Bytes(EventTypes.ToMessage(type, e.Data, e.StreamId, e.Version), type.Message, Wire.Json);
        }
        catch (JsonException exception)
        {
            // It will not become another. The others do not wait for it.
            Unreadable(_logger, exception, e.Type, e.Position);
            return null;
        }
    }

    /// <summary>A broker that has lost its data gets back what is published to.</summary>
    private async Task<IChannel> OpenAsync(CancellationToken cancellation)
    {
        var channel = await _broker.OpenConfirmingChannelAsync(cancellation);
        await Topology.DeclareAsync(channel, cancellation);
        return channel;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The {Type} at position {Position} cannot be read, and is not published")]
    private static partial void Unreadable(ILogger logger, Exception e, string type, long position);
}

public static class EventPublisherServices
{
    /// <summary>For a process that appends to the log: it publishes, too.</summary>
    public static void AddLogWriter(this IServiceCollection services)
    {
        services.AddSingleton<LogWriter>().AddSingleton<EventPublisher>();
        services.AddFollower<EventPublisher>("published-events", s => s.GetRequiredService<EventPublisher>().WakeUp, s => s.GetRequiredService<LogReader>());
    }
}
