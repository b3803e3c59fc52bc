namespace Signup.EventLog;

/// <summary>Who made something happen, as an event notes it: see <see cref="Cause.Actor"/>. What comes from elsewhere and does not say has the name of the endpoint that sent it, and so has
/// what a process does by itself, since the time for it has come. Frozen: they are in the log.</summary>
public static class Actors
{
    /// <summary>Whoever signs up, or has signed up.</summary>
    public const string Person = "person";

    /// <summary>The provider tells what became of a mail.</summary>
    public const string MailProvider = "mail-provider";

    /// <summary>Whoever has the key of Uniqueness' HTTP API.</summary>
    public const string Api = "api";

    private const string OperatorPrefix = "operator:";

    /// <param name="name">Of the operator's key.</param>
    public static string Operator(string name) => OperatorPrefix + name;

    /// <returns>The operator's name; null where the actor is none.</returns>
    public static string? OperatorOf(string actor) => actor.StartsWith(OperatorPrefix, StringComparison.Ordinal) ? actor[OperatorPrefix.Length..] : null;
}
