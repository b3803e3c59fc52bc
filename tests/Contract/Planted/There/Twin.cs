namespace Signup.Tests.Contract.Planted.There;

/// <inheritdoc cref="Here.Twin"/>
internal sealed class Twin<T>;
