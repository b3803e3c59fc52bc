using System.Security.Cryptography;
using System.Text;

namespace Signup.EventLog.Accounts;

/// <summary>
/// What names a proposal, and its event once it is in the log: a digest of what was asked for. So the same, however often it is asked, is one proposal, other
/// content is another one, and whoever asked can find what became of it. Those of sign-ups are in the log for ever. Nobody can try by an id what name or address was asked for, not even of who was forgotten: of a sign-up one would
/// have to know the password's hash, and of all else it is the account and the moment, to 100 ns, alone.
/// </summary>
public static class ProposalId
{
    /// <summary>When it was asked for, and in which language, does not matter.</summary>
    public static Guid OfSignUp(Guid accountId, string username, string email, string passwordHash) => Of(accountId, username.Trim(), email.Trim(), passwordHash);

    /// <summary>A new try is another proposal: the address may be free by then.</summary>
    public static Guid OfCorrection(Guid accountId, DateTimeOffset requestedAt) => Of(accountId, "correction", requestedAt.UtcTicks);

    /// <summary>The same.</summary>
    public static Guid OfUsername(Guid accountId, DateTimeOffset requestedAt) => Of(accountId, "username", requestedAt.UtcTicks);

    /// <summary>The same.</summary>
    public static Guid OfEmailChange(Guid accountId, DateTimeOffset requestedAt) => Of(accountId, "email change", requestedAt.UtcTicks);

    /// <summary>The same.</summary>
    public static Guid OfConfirmation(Guid accountId, int request, DateTimeOffset requestedAt) => Of(accountId, "email change confirmed", request, requestedAt.UtcTicks);

    /// <summary>The same.</summary>
    public static Guid OfDeletion(Guid accountId, DateTimeOffset requestedAt) => Of(accountId, "deletion", requestedAt.UtcTicks);

    private static Guid Of(params object[] content) => new(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', content)))[..16]);
}
