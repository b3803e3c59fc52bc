using Signup.Messages.Transport;

namespace Signup.Hosting;

/// <summary>What the messages on the queue of someone who follows the log are good for: they end the follower's rest. The data comes from the log, by position, so
/// it does not matter in which order they arrive, or whether they do (see <see cref="LogFollower{TProjection}"/>).</summary>
public static class WakeUpHandler
{
    public static void Handle(LogExtended _, WakeUp wakeUp) => wakeUp.Signal();
}
