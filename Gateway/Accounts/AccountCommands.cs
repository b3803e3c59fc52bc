using Signup.Hosting.RabbitMq;
using Signup.Messages.Uniqueness;

namespace Signup.Gateway.Accounts;

/// <summary>Asks Accounts to do something, and brings back what became of it.</summary>
public sealed class AccountCommands(CommandClient commands, IConfiguration settings, TimeProvider time)
{
    /// <summary>Something else happened to the account in the same moment, such as its mail being sent: it is asked again.</summary>
    private const int Tries = 4;

    private readonly TimeSpan _timeout = settings.GetValue("Signup:ReplyTimeout", TimeSpan.FromSeconds(5));

    /// <returns>Null: it is in its queue, or on its way there, and will be decided.</returns>
    /// <exception cref="BrokerUnavailableException">Nothing will come of it.</exception>
    public Task<TReply?> AskAsync<TReply>(object command, CancellationToken cancellation) where TReply : class =>
        commands.AskAsync<TReply>(Topology.Accounts, command, Guid.CreateVersion7(), _timeout, cancellation);

    /// <summary>For what is decided on the account as it is, and then proposed to Uniqueness.</summary>
    /// <param name="command">As of the moment that it is asked at, which is part of what names the proposal.</param>
    /// <returns>The verdict, null as above, and when it was asked for the last time.</returns>
    /// <exception cref="BrokerUnavailableException">Nothing will come of it.</exception>
    public async Task<(Verdict? Verdict, DateTimeOffset RequestedAt)> ProposeAsync(Func<DateTimeOffset, object> command, CancellationToken cancellation)
    {
        for (var n = 1; ; n++)
        {
            var now = time.GetUtcNow();
            var verdict = await AskAsync<Verdict>(command(now), cancellation);
            if (verdict?.Outcome != VerdictOutcome.VersionConflict || n == Tries) return (verdict, now);
        }
    }

    /// <summary>For what nobody is answered.</summary>
    /// <exception cref="BrokerUnavailableException">The broker has not confirmed in time that it has it.</exception>
    public Task SendAsync(object command, CancellationToken cancellation) => commands.SendAsync(Topology.Accounts, command, Guid.CreateVersion7(), _timeout, cancellation);
}
