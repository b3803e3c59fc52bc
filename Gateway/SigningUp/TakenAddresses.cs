namespace Signup.Gateway.SigningUp;

/// <summary>
/// The setting <c>Signup:HideTaken</c>: nobody is to learn at the door whether an address is taken. Then nobody waits for a verdict, so that there is none to be told, and no time that it takes: whoever reads mail at
/// the address is told all. And all that would tell it later is the same for everybody: how the sign-up is, its mail once more, another address for it; and nobody signs in before the account is active.
/// </summary>
/// <param name="AreHidden">False: an honest <c>409</c>.</param>
public sealed record TakenAddresses(bool AreHidden)
{
    public const string Setting = "Signup:HideTaken";
}
