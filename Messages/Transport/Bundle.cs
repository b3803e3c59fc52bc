namespace Signup.Messages.Transport;

/// <summary>Several messages to one endpoint in one, each handled as if it had come alone. Signup's own processes send it to each other while much goes on;
/// others send and get each message by itself.</summary>
public sealed record Bundle(IReadOnlyList<BundledMessage> Messages);

/// <param name="Headers">Those of a message of its own, without those that the bundle has as well.</param>
/// <param name="Body">JSON in UTF-8, in Base64.</param>
public sealed record BundledMessage(IReadOnlyDictionary<string, string> Headers, byte[] Body);
