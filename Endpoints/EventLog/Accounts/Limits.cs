namespace Signup.EventLog.Accounts;

/// <summary>How long what an account holds may be, whichever door it comes in by.</summary>
public static class Limits
{
    /// <summary>In code points.</summary>
    public const int Username = 64;

    /// <summary>In octets, as it goes over SMTP (RFC 5321, 4.5.3.1, less the angle brackets), and in characters as typed.</summary>
    public const int Email = 254;

    /// <summary>In characters; Argon2id's PHC strings have about 100.</summary>
    public const int PasswordHash = 512;

    /// <summary>In characters: what BCP 47 asks every reader to take.</summary>
    public const int Language = 35;
}
