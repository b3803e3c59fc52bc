using System.Text;
using Microsoft.AspNetCore.Http;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;

namespace Signup.Tests.Unit.Gateway;

public class when_a_body_is_read
{
    [Theory]
    [InlineData("application/json")]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("application/json; charset=\"UTF-8\"")]
    [InlineData("application/json; charset=utf8")]
    [InlineData("application/json; charset=us-ascii")]
    [InlineData("application/vnd.signup+json")]
    public async Task json_in_utf8_is_taken(string type) => Assert.Null(await FaultAsync("{}", type));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application")]
    public async Task any_other_type_is_the_wrong_one(string? type) => Assert.Equal(BodyFault.WrongType, await FaultAsync("{}", type));

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{\"username\": \"Ada\",}")]
    [InlineData("{'username': 'Ada'}")]
    [InlineData("{\"email\": \"a@example.org\", \"email\": \"b@example.org\"}")]
    [InlineData("{} {}")]
    [InlineData("{\"user\\ud83dname\": \"Ada\"}")]
    public async Task broken_json_is_broken(string json) => Assert.Equal(BodyFault.Broken, await FaultAsync(json));

    [Fact]
    public async Task what_is_not_utf8_is_broken() => Assert.Equal(BodyFault.Broken, await FaultAsync([.. "{\"username\": \""u8, 0xFF, .. "\"}"u8]));

    [Fact]
    public async Task brackets_without_end_are_broken_and_nothing_worse() => Assert.Equal(BodyFault.Broken, await FaultAsync(new string('[', 16_000)));

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"Ada\"")]
    [InlineData("1")]
    public async Task json_that_is_no_object_is_said_to_be_none(string json) => Assert.Equal(BodyFault.NotAnObject, await FaultAsync(json));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task sixteen_kibibytes_are_taken_and_one_byte_more_is_not(bool withLength)
    {
        var frame = "{\"username\": \"\"}".Length;
        Assert.Null(await FaultAsync($"{{\"username\": \"{new string('a', Body.Limit - frame)}\"}}", withLength: withLength));
        Assert.Equal(BodyFault.TooLarge, await FaultAsync($"{{\"username\": \"{new string('a', Body.Limit - frame + 1)}\"}}", withLength: withLength));
    }

    [Fact]
    public async Task a_field_of_the_wrong_type_is_told_from_one_that_is_missing()
    {
        var (json, _) = await Body.ReadJsonAsync(Request("""{ "username": 1, "email": null, "other": [] }"""u8.ToArray()), CancellationToken.None);
        var fields = SignUpFields.Of(json);
        Assert.Equal([Field.Username], fields.Malformed);
        Assert.Null(fields.Email);
        Assert.Null(fields.Password);
    }

    [Fact]
    public async Task half_a_character_in_an_escape_is_the_wrong_type()
    {
        var (json, fault) = await Body.ReadJsonAsync(Request("""{ "username": "\ud800" }"""u8.ToArray()), CancellationToken.None);
        Assert.Null(fault);
        Assert.Equal([Field.Username], SignUpFields.Of(json).Malformed);
    }

    [Fact]
    public async Task a_form_keeps_every_character()
    {
        var (form, fault) = await Body.ReadFormAsync(Request("username=Zo%C3%AB+%26+Co&email=a%2Bb%40example.org&password=%F0%9F%A6%8A"u8.ToArray(), "application/x-www-form-urlencoded"), CancellationToken.None);
        Assert.Null(fault);
        var fields = SignUpFields.Of(form);
        Assert.Equal(("Zoë & Co", "a+b@example.org", "🦊"), (fields.Username, fields.Email, fields.Password));
    }

    [Theory]
    [InlineData("username=J%F6rg")]
    [InlineData("username=Zoe&email=j%f6rg@example.org")]
    [InlineData("password=%ED%A0%80")]
    public async Task a_form_in_another_encoding_is_refused_and_not_taken_literally(string form)
    {
        var (fields, fault) = await Body.ReadFormAsync(Request(Encoding.ASCII.GetBytes(form), "application/x-www-form-urlencoded"), CancellationToken.None);
        Assert.Equal(BodyFault.NotUtf8, fault);
        Assert.Empty(fields);
    }

    [Fact]
    public async Task a_form_that_says_so_is_refused_too() => Assert.Equal(BodyFault.WrongType,
        (await Body.ReadFormAsync(Request("username=Ada"u8.ToArray(), "application/x-www-form-urlencoded; charset=iso-8859-1"), CancellationToken.None)).Fault);

    [Fact]
    public async Task percent_signs_that_escape_nothing_are_percent_signs() =>
        Assert.Equal("100%", SignUpFields.Of((await Body.ReadFormAsync(Request("username=100%"u8.ToArray(), "application/x-www-form-urlencoded"), CancellationToken.None)).Fields).Username);

    [Theory]
    [InlineData("gzip", BodyFault.Encoded)]
    [InlineData("identity", null)]
    public async Task a_compressed_body_is_said_to_be_one(string coding, BodyFault? fault)
    {
        var request = Request("{}"u8.ToArray());
        request.Headers.ContentEncoding = coding;
        Assert.Equal(fault, (await Body.ReadJsonAsync(request, CancellationToken.None)).Fault);
    }

    [Fact]
    public async Task a_field_that_comes_twice_in_a_form_means_nothing()
    {
        var (form, _) = await Body.ReadFormAsync(Request("email=a%40example.org&email=b%40example.org"u8.ToArray(), "application/x-www-form-urlencoded"), CancellationToken.None);
        Assert.Equal([Field.Email], SignUpFields.Of(form).Malformed);
    }

    private static async Task<BodyFault?> FaultAsync(string body, string? type = "application/json", bool withLength = true) =>
        (await Body.ReadJsonAsync(Request(Encoding.UTF8.GetBytes(body), type, withLength), CancellationToken.None)).Fault;

    private static async Task<BodyFault?> FaultAsync(byte[] body) => (await Body.ReadJsonAsync(Request(body), CancellationToken.None)).Fault;

    private static HttpRequest Request(byte[] body, string? type = "application/json", bool withLength = true)
    {
        var request = new DefaultHttpContext().Request;
        request.ContentType = type;
        request.ContentLength = withLength ? body.Length : null;
        request.Body = new MemoryStream(body);
        return request;
    }
}
