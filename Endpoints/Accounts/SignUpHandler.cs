using Signup.EventLog.Accounts;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;
using AccountCreated = Signup.EventLog.Accounts.AccountCreated;

namespace Signup.Accounts;

/// <summary>Someone wants an account. It needs an address that nobody has, so the event is proposed to Uniqueness, which answers the asker.</summary>
public static class SignUpHandler
{
    public static (ProposeEvent?, Verdict?) Handle(SignUp command)
    {
        if (!IsComplete(command))
            return (null, new Verdict(command.AccountId, Guid.Empty, VerdictOutcome.Invalid, 0, 0, null));

        var created = new AccountCreated(command.Username.Trim(), command.Email.Trim(), command.PasswordHash, command.Language, command.RequestedAt);
        return (Propose.Event(command.AccountId, ProposalId.OfSignUp(command.AccountId, command.Username, command.Email, command.PasswordHash), expectedVersion: 0, created, command.Once), null);
    }

    /// <summary>The gateway has said it in the user's words; this is for whoever sends commands without a gateway.</summary>
    private static bool IsComplete(SignUp command) =>
        command.AccountId != Guid.Empty
        && !string.IsNullOrWhiteSpace(command.Username)
        && !string.IsNullOrWhiteSpace(command.Email)
        && command.PasswordHash.StartsWith('$');
}
