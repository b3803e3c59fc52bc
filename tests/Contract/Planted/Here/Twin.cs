namespace Signup.Tests.Contract.Planted.Here;

/// <summary>Has the name of another.</summary>
internal sealed class Twin;
