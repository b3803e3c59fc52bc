namespace Signup.Messages.Transport;

/// <summary>Event: the log has grown. For whoever follows the log by position and would rather not look again and again; one such message may stand for many
/// events, and may get lost. Published by whichever endpoint appended.</summary>
public sealed record LogExtended;
