using Microsoft.OpenApi;

namespace Signup.Gateway.Api;

/// <summary>What a route takes and answers, said where it is mapped, for <see cref="ApiDocument"/>. A route that says nothing is a page, and is not in it.</summary>
public static class Describing
{
    public const string SigningUp = "Signing up", SigningIn = "Signing in", OwnAccount = "Own account", MailProvider = "Mail provider";

    public static readonly IReadOnlyList<string> Groups = [SigningUp, SigningIn, OwnAccount, MailProvider];

    /// <summary>What shows that one may ask.</summary>
    public const string StatusToken = "statusToken", Session = "session", EventsKey = "eventsKey";

    /// <summary>The field with what a link in a mail holds.</summary>
    public const string Token = "token";

    /// <param name="group">One of <see cref="Groups"/>.</param>
    /// <param name="summary">What is done, as one would ask for it.</param>
    public static RouteHandlerBuilder ForPrograms(this RouteHandlerBuilder route, string group, string summary, string description = "") =>
        route.WithTags(group).WithSummary(summary).WithDescription(description).WithMetadata(new IsForPrograms());

    /// <summary>A JSON object with these fields, all of them texts.</summary>
    /// <param name="refused">Beside fields that cannot be as they are.</param>
    public static RouteHandlerBuilder Takes(this RouteHandlerBuilder route, IReadOnlyList<string> fields, string refused = "") => route.WithMetadata(new TakesFields(fields))
        .Refuses(400, $"A field cannot be as it is: `errors` says which, and why. Or the body is no JSON object. {refused}".TrimEnd()).Refuses(413, "The body is too large.").Refuses(415, "The body is not JSON in UTF-8.");

    /// <summary>JSON of another shape.</summary>
    public static RouteHandlerBuilder Takes(this RouteHandlerBuilder route, string description) => route.WithMetadata(new TakesJson(description));

    public static RouteHandlerBuilder TakesHeader(this RouteHandlerBuilder route, string name, string description) => route.WithMetadata(new TakesParameter(ParameterLocation.Header, name, description));

    public static RouteHandlerBuilder TakesQuery(this RouteHandlerBuilder route, string name, string description) => route.WithMetadata(new TakesParameter(ParameterLocation.Query, name, description));

    /// <summary>Whoever signed up. To anyone else there is nothing here, whether or not there is.</summary>
    public static RouteHandlerBuilder ForWhoSignedUp(this RouteHandlerBuilder route) => route.WithMetadata(new IsFor(StatusToken)).Refuses(404, "There is no such sign-up, or it is somebody else's.");

    /// <param name="refused">Beside nobody's being signed in.</param>
    public static RouteHandlerBuilder ForWhoIsSignedIn(this RouteHandlerBuilder route, string refused = "") => route.WithMetadata(new IsFor(Session)).Refuses(401, $"Nobody is signed in{refused}.");

    public static RouteHandlerBuilder ForMailProvider(this RouteHandlerBuilder route) => route.WithMetadata(new IsFor(EventsKey)).Refuses(401, "The key is wrong.");

    /// <summary>An answer as JSON.</summary>
    public static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder route, int status, string description) => route.Answers(status, description, typeof(T), "application/json");

    /// <summary>An answer without a body.</summary>
    public static RouteHandlerBuilder Answers(this RouteHandlerBuilder route, int status, string description) => route.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(void)) { Description = description });

    /// <summary>That it is not decided yet.</summary>
    public static RouteHandlerBuilder MayTakeLonger(this RouteHandlerBuilder route) => route.Answers(202, "Not decided yet. It is safe, and will be.");

    /// <summary>An error.</summary>
    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder route, int status, string description) => route.Answers(status, description, typeof(Problem), "application/problem+json");

    public static RouteHandlerBuilder LimitsTries(this RouteHandlerBuilder route) => route.Refuses(429, "Too many, from this client.");

    public static RouteHandlerBuilder MayBeUnavailable(this RouteHandlerBuilder route, string description = "Not available right now. Nothing was kept.") => route.Refuses(503, description);

    private static RouteHandlerBuilder Answers(this RouteHandlerBuilder route, int status, string description, Type body, string contentType) =>
        route.WithMetadata(new ProducesResponseTypeMetadata(status, body, [contentType]) { Description = description });

    internal sealed record IsForPrograms;

    internal sealed record TakesFields(IReadOnlyList<string> Names);

    internal sealed record TakesJson(string Description);

    internal sealed record TakesParameter(ParameterLocation In, string Name, string Description);

    internal sealed record IsFor(string Proof);

    // As Problems writes it.
    /// <summary>An error (RFC 9457).</summary>
    /// <param name="Type">Which error it is: begins with <c>/problems/</c>.</param>
    /// <param name="Detail">What is wrong, and what to do about it.</param>
    /// <param name="Errors">By field.</param>
    /// <param name="TraceId">For who looks after this system.</param>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1812", Justification = "It stands for what another type writes.")]
    internal sealed record Problem(string Type, string Title, int Status, string Detail, IReadOnlyDictionary<string, string[]>? Errors = null, string? TraceId = null);
}
