namespace Signup.Mail;

/// <summary>Where a mail's link leads.</summary>
/// <param name="Path">Of the gateway's page.</param>
/// <param name="Generation">Of what it is about: the link is dead once that was replaced.</param>
public sealed record MailLink(string Path, string TokenPurpose, Func<Activation, int> Generation);

/// <summary>A kind of mail: it has templates of this name, and a link or none.</summary>
public sealed record MailKind(string Name, MailLink? Link)
{
    /// <summary>The activation once more, to whoever has signed up once more.</summary>
    public const string SignUpAgain = "sign-up-again";

    private static readonly MailLink Activation = new("activate", "activation", account => account.AddressChanges);

    public static readonly IReadOnlyList<MailKind> All =
    [
        new("activation", Activation),
        new("reminder", Activation),
        new(SignUpAgain, Activation),
        new("sign-up-attempted", null),
        new("password-reset", new("password-reset", "password reset", account => account.Generation)),
        new("password-changed", null),
        new("email-confirmation", new("email-change", "email change", account => account.Generation)),
        new("email-change-requested", null),
        new("email-changed", null),
        new("account-deleted", null),
    ];

    /// <param name="purpose">Of a mail, such as <c>reminder-1</c>.</param>
    public static MailKind Of(string purpose) => All.FirstOrDefault(k => purpose.StartsWith(k.Name, StringComparison.Ordinal)) ?? All[0];
}
