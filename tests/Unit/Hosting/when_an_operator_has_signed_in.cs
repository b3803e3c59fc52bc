using Microsoft.AspNetCore.Http;
using Signup.Hosting.Operations;

namespace Signup.Tests.Unit.Hosting;

public sealed class when_an_operator_has_signed_in
{
    [Theory]
    [InlineData("/ops/messages/x?say=Gone", "/ops/messages/x?say=Gone")]
    [InlineData(null, "/ops")]
    [InlineData("", "/ops")]
    [InlineData("https://elsewhere.example", "/ops")]
    [InlineData("//elsewhere.example", "/ops")]
    [InlineData("/\\elsewhere.example", "/ops")]
    [InlineData("/a\r\nSet-Cookie: x", "/ops")]
    public void they_are_led_on_to_an_address_here_and_never_elsewhere(string? to, string local) => Assert.Equal(local, new OperatorDoor("/ops", _ => Results.Empty).Local(to));
}
