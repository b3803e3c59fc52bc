namespace Signup.Messages.Accounts;

/// <summary>Command, sent by the gateway to <c>accounts</c>: whoever reads mail at the address that an account is to have has pressed the button. Answered with a <see cref="Uniqueness.Verdict"/>, as
/// <see cref="RequestEmailChange"/> is: <c>Accepted</c> also to a repetition, as long as the account has the address; <c>NotUnique</c> where somebody else has it by now; <c>Invalid</c> where the link is dead.</summary>
/// <param name="Request">Which of the account's wishes for another address the link is for, from 1; to ask again for the same one is no other wish.</param>
public sealed record ConfirmEmailChange(Guid AccountId, int Request, DateTimeOffset RequestedAt);
