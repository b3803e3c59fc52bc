using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Signup.EventLog;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Uniqueness;

namespace Signup.Hosting.Handling;

/// <summary>The messages that an endpoint takes, and which function handles each. What the functions return becomes of it what <see cref="MessageProcessor"/> says.</summary>
public sealed class Handlers
{
    private readonly Dictionary<string, Handler> _byType = [];

    /// <summary>For a decision on what the log says; where somebody else appends meanwhile, it is loaded and decided again.</summary>
    public Handlers On<TMessage, TState>(Func<TMessage, LogReader, CancellationToken, Task<TState>> load, Func<TMessage, TState, object?> decide) =>
        On<TMessage>(async (message, services, cancellation) =>
        {
            var decided = decide(message, await load(message, services.GetRequiredService<LogReader>(), cancellation));
            if (!Appends(decided)) await services.GetRequiredService<LogWriter>().AnswerForWhatIsReadAsync(cancellation);
            return decided;
        });

    /// <summary>For whatever needs services of its process.</summary>
    public Handlers On<TMessage>(Func<TMessage, IServiceProvider, CancellationToken, Task<object?>> handle)
    {
        _byType.Add(typeof(TMessage).FullName!, new Handler(typeof(TMessage), (message, services, cancellation) => handle((TMessage)message, services, cancellation)));
        return this;
    }

    private static bool Appends(object? decided) => decided is Append or ProposeEvent || (decided is ITuple parts && Enumerable.Range(0, parts.Length).Any(i => Appends(parts[i])));

    internal Handler? Find(string type) => _byType.GetValueOrDefault(type);

    internal sealed record Handler(Type Message, Func<object, IServiceProvider, CancellationToken, Task<object?>> HandleAsync)
    {
        /// <exception cref="JsonException">The body is not what the headers promise.</exception>
        public object Read(Incoming message) => JsonSerializer.Deserialize(message.Body.Span, Message, Wire.Json) ?? throw new JsonException("The body is null.");
    }
}
