using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Signup.EventLog;
using Signup.Hosting.Calls;
using Signup.Hosting.Following;
using Signup.Hosting.Operations;
using Signup.Hosting.RabbitMq;
using Signup.Hosting.ServiceControl;
using Signup.Messages.Uniqueness;

namespace Signup.Hosting.Handling;

/// <summary>
/// Handles one message from beginning to end. What its handler returns happens before the message may be acknowledged, so that handlers need no bus: facts
/// (<see cref="Append"/>) are appended, proposals are handed on to Uniqueness, anything else answers the asker; of a tuple, each part. A failure keeps the message: see <see cref="Recoverability"/>.
/// </summary>
internal sealed partial class MessageProcessor(Handlers handlers, IServiceProvider services, HandlerSends sends, RetryAcknowledgement acknowledgement, MoveToError failures, MessageFigures figures,
    AuditCopies audit, EndpointIdentity self, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<MessageProcessor> logger)
{
    private readonly WakeUp? _wakeUp = services.GetService<WakeUp>();
    private readonly UniquenessClient? _uniqueness = services.GetService<UniquenessClient>();

    /// <summary>Returns when there is nothing left to do with it, here or in the queue <c>error</c>. It retries in place, however long that takes, and others go past it.</summary>
    /// <param name="ended">There is no use in going on: the message is the broker's again.</param>
    /// <returns>Whether it may be acknowledged; false only where <paramref name="ended"/>, or where the process stops.</returns>
    public async Task<bool> HandleAsync(Incoming message, CancellationToken ended)
    {
        for (var attempt = 1; ; attempt++)
        {
            Exception fault;
            try
            {
                await AttemptAsync(message, attempt, ended);
                return true;
            }
            catch (Exception e)
            {
                fault = e;
            }
            using var leave = CancellationTokenSource.CreateLinkedTokenSource(ended, lifetime.ApplicationStopping);
            if (leave.IsCancellationRequested) return false;
            if (Recoverability.RetryAfter(fault, attempt) is not { } retry) return await failures.MoveAsync(message, fault, leave.Token);
            if (retry.IsRest)
            {
                Rests(logger, message.Type, message.MessageId, fault.GetBaseException().Message);
                // Like one that has come again: what it meets next, such as a conflict, has all its retries.
                attempt = 0;
            }
            await Task.Delay(retry.Pause, time, leave.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (leave.IsCancellationRequested) return false;
        }
    }

    /// <summary>As the real one, but nobody hears that there was a message.</summary>
    /// <param name="message">One that changes nothing.</param>
    public Task RehearseAsync(Incoming message) => HandleAsync(handlers.Find(message.Type)!, message, CancellationToken.None);

    private async Task HandleAsync(Handlers.Handler handler, Incoming message, CancellationToken ended) =>
        await ApplyAsync(await handler.HandleAsync(handler.Read(message), services, ended), message);

    private async Task AttemptAsync(Incoming message, int attempt, CancellationToken ended)
    {
        using var activity = Tracing.Processing(self.Name, message);
        try
        {
            Cause.Is(message.AsCause());
            var (at, began) = (time.GetUtcNow(), Stopwatch.GetTimestamp());
            if (attempt > 1) figures.Retried(message);
            if (handlers.Find(message.Type) is { } handler) await HandleAsync(handler, message, ended);
            // Whatever has happened is read from the log.
            else if (_wakeUp is not null && EventTypes.All.Any(t => t.Message.FullName == message.Type)) _wakeUp.Signal();
            else throw new UnknownMessageException($"No handler here knows messages of the type {message.Type}.");
            await acknowledgement.SendAsync(message);
            figures.Handled(message, Stopwatch.GetElapsedTime(began));
            audit.Handled(message, at);
        }
        catch (Exception e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.GetType().FullName);
            throw;
        }
    }

    private async Task ApplyAsync(object? result, Incoming message)
    {
        switch (result)
        {
            case null:
                break;
            case Append append:
                await services.GetRequiredService<LogWriter>().AppendAsync(append);
                break;
            case ProposeEvent proposed:
                if (_uniqueness is not null && await _uniqueness.AskAsync(proposed) is { } verdict) await sends.ReplyAsync(verdict, message);
                else await sends.ForwardAsync(Topology.Uniqueness, proposed, message);
                break;
            case ITuple parts:
                for (var i = 0; i < parts.Length; i++) await ApplyAsync(parts[i], message);
                break;
            default:
                await sends.ReplyAsync(result, message);
                break;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{MessageType} {MessageId} cannot be handled now, and rests: {Reason}")]
    private static partial void Rests(ILogger logger, string messageType, string messageId, string reason);
}
