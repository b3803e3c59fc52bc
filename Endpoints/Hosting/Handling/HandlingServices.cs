using Microsoft.Extensions.DependencyInjection;
using Signup.Hosting.RabbitMq;

namespace Signup.Hosting.Handling;

public static class HandlingServices
{
    /// <summary>Takes messages from the endpoint's queue, and has them handled, retried, or moved to the queue <c>error</c>.</summary>
    internal static void AddMessageHandling(this IServiceCollection services, Handlers handlers, ushort concurrency)
    {
        services.AddSingleton(handlers).AddSingleton(new Concurrency(concurrency));
        services.AddSingleton<MessageProcessor>().AddSingleton<MoveToError>();
        services.AddListener<QueueListener>("messages");
    }

    /// <summary>An endpoint rehearses with a command that it answers with <typeparamref name="TReply"/>, and that changes nothing.</summary>
    public static void AddRehearsal<TReply>(this IServiceCollection services, object command) where TReply : class =>
        services.AddRehearsal((s, cancellation) => s.GetRequiredService<CommandClient>().RehearseAsync<TReply>(command, s.GetRequiredService<MessageProcessor>().RehearseAsync, cancellation));
}
