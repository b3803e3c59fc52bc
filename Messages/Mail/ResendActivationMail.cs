namespace Signup.Messages.Mail;

/// <summary>Command, sent by the gateway to <c>mail</c>: whoever signed up asks for the activation mail again.</summary>
public sealed record ResendActivationMail(Guid AccountId, DateTimeOffset RequestedAt);
