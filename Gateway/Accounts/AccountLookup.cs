using Signup.Gateway.SigningUp;
using Signup.Messages.Uniqueness;

namespace Signup.Gateway.Accounts;

/// <summary>What has become of a sign-up: the account, or that it was refused, or that it is still to be decided. Any gateway can tell, whichever took it. Where taken addresses are hidden none does, nor looks: that would take its time.</summary>
public sealed class AccountLookup(QueryClient query, VerdictClient verdicts, TakenAddresses taken)
{
    /// <exception cref="QueryUnavailableException">Query did not answer.</exception>
    public async Task<AccountView> FindAsync(StatusProof proof, CancellationToken cancellation)
    {
        if (taken.AreHidden) return new AccountView(proof.AccountId, null, null, AccountView.ByMail, null);
        if (await query.FindAsync(proof.AccountId, proof.SignUpId, cancellation) is { } account) return account;
        return await verdicts.FindAsync(proof.AccountId, proof.SignUpId, cancellation) switch
        {
            { Outcome: VerdictOutcome.NotUnique, Constraint: var what } => Refused($"{what ?? "email"}-taken"),
            { Outcome: VerdictOutcome.VersionConflict } => Refused(AccountView.KeyReused),
            { Outcome: VerdictOutcome.Invalid } => Refused(AccountView.Invalid),
            _ => new AccountView(proof.AccountId, null, null, AccountView.Deciding, null),
        };

        AccountView Refused(string reason) => new(proof.AccountId, null, null, AccountView.Refused, null, reason);
    }

    /// <summary>What has become of the address that was asked for in the place of the account's first.</summary>
    public async Task<CorrectionView?> FindCorrectionAsync(StatusProof proof, Guid correctionId, CancellationToken cancellation) =>
        await verdicts.FindAsync(proof.AccountId, correctionId, cancellation) switch
        {
            null => new(AccountView.Deciding, null),
            { Outcome: VerdictOutcome.Accepted } => null,
            { Outcome: VerdictOutcome.NotUnique, Constraint: var what } => new(AccountView.Refused, $"{what ?? "email"}-taken"),
            _ => new(AccountView.Refused, AccountView.Invalid),
        };
}
