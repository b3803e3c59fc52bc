using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Signup.Gateway;
using Signup.Gateway.OpenId;

namespace Signup.Tests.Unit.Gateway;

public class when_applications_are_named_in_a_file
{
    private static OpenIdClient Read(string client) => OpenIdClients.Parse($$"""{ "clients": [ {{client}}, ] } // ours""", "applications.json").Find("shop")!;

    private static string Shop(string redirect = "https://shop.example/signed-in", string more = "") => $$"""{ "id": "shop", "name": "The shop", "redirectUris": ["{{redirect}}"]{{more}} }""";

    private static string WhyNot(string json) => Assert.Throws<InvalidOperationException>(() => OpenIdClients.Parse(json, "applications.json")).Message;

    [Fact]
    public void each_is_found_by_its_id_alone()
    {
        var clients = OpenIdClients.Parse($$"""{ "clients": [ {{Shop()}}, {{Shop().Replace("shop\"", "Shop\"", StringComparison.Ordinal)}} ] }""", "f");
        Assert.Equal(("shop", "Shop"), (clients.Find("shop")!.Id, clients.Find("Shop")!.Id));
        foreach (var nobody in new[] { "SHOP", "", null }) Assert.Null(clients.Find(nobody));
    }

    [Fact]
    public void people_are_asked_unless_the_file_says_otherwise()
    {
        Assert.Equal(Consent.Systematic, Read(Shop()).Consent);
        Assert.Equal(Consent.Implicit, Read(Shop(more: """, "consent": "implicit" """)).Consent);
    }

    [Fact]
    public void a_secret_is_known_by_its_digest_and_one_that_has_none_sends_none()
    {
        var digest = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes("geheim ä")));
        foreach (var written in new[] { digest, digest.ToLowerInvariant() })
        {
            var shop = Read(Shop(more: $$""", "secretSha256": "{{written}}" """));
            Assert.True(shop.HasSecret("geheim ä"));
            foreach (var wrong in new[] { "geheim", "", null, digest }) Assert.False(shop.HasSecret(wrong));
        }
        Assert.True(Read(Shop()).HasSecret(null));
        Assert.True(Read(Shop()).HasSecret(""));
        Assert.False(Read(Shop()).HasSecret("a secret"));
    }

    [Theory]
    [InlineData("https://shop.example/signed-in?a=b", "https://shop.example")]
    [InlineData("https://shop.example:8443", "https://shop.example:8443")]
    [InlineData("http://localhost:5000/cb", "http://localhost:5000")]
    [InlineData("http://127.0.0.1:5000/cb", "http://127.0.0.1:5000")]
    [InlineData("com.example.shop:/cb", "com.example.shop:")]
    public void people_may_be_sent_to_sites_and_to_programs_and_forms_may_lead_there(string redirect, string target) => Assert.Equal([target], Read(Shop(redirect)).FormTargets);

    [Theory]
    [InlineData("http://shop.example/")]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:text/html,x")]
    [InlineData("shop:/cb")]
    [InlineData("https://shop.example/#x")]
    [InlineData("https://somebody@shop.example/")]
    [InlineData("https://shop.example/a b")]
    [InlineData("https://shop.example;script-src")]
    [InlineData("/signed-in")]
    [InlineData("")]
    public void nobody_is_sent_anywhere_else(string redirect)
    {
        var why = WhyNot($$"""{ "clients": [ {{Shop(redirect)}} ] }""");
        Assert.StartsWith("applications.json: The application 'shop' cannot have '" + redirect + "'", why, StringComparison.Ordinal);
        Assert.Contains("https://", why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "clients": [] }""", "\"clients\"")]
    [InlineData("{}", "\"clients\"")]
    [InlineData("null", "\"clients\"")]
    [InlineData("[", "Path: $")]
    [InlineData("""{ "clients": [ null ] }""", "\"id\"")]
    [InlineData("""{ "clients": [ { "id": "a b", "name": "A", "redirectUris": ["https://a.example"] } ] }""", "\"id\"")]
    [InlineData("""{ "clients": [ { "id": "a", "name": " ", "redirectUris": ["https://a.example"] } ] }""", "\"name\"")]
    [InlineData("""{ "clients": [ { "id": "a", "name": "A", "redirectUris": [] } ] }""", "\"redirectUris\"")]
    [InlineData("""{ "clients": [ { "id": "a", "name": "A" } ] }""", "\"redirectUris\"")]
    [InlineData("""{ "clients": [ { "id": "a", "name": "A", "redirectUris": [null] } ] }""", "\"redirectUris\"")]
    [InlineData("""{ "clients": [ { "id": "a", "name": "A", "redirectUris": ["https://a.example"], "secretSha256": "secret" } ] }""", "sha256sum")]
    [InlineData("""{ "clients": [ { "id": "a", "name": "A", "redirectUris": ["https://a.example"], "secret": "secret" } ] }""", "secret")]
    [InlineData("""{ "clients": [ { "id": "a", "name": "A", "redirectUris": ["https://a.example"], "consent": "never" } ] }""", "consent")]
    [InlineData("""{ "clients": [ { "id": "a", "name": "A", "redirectUris": ["https://a.example"] }, { "id": "a", "name": "B", "redirectUris": ["https://b.example"] } ] }""", "'a'")]
    public void what_is_wrong_is_said_with_the_files_name(string json, string what)
    {
        var why = WhyNot(json);
        Assert.StartsWith("applications.json: ", why, StringComparison.Ordinal);
        Assert.Contains(what, why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://signup.example")]
    [InlineData("signup.example")]
    [InlineData("ftp://signup.example")]
    [InlineData("https://signup.example/?a=b")]
    [InlineData(null)]
    public void a_site_that_applications_cannot_trust_does_not_start(string? publicUrl)
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, $$"""{ "clients": [ {{Shop()}} ] }""");
        var settings = new ConfigurationBuilder().AddInMemoryCollection([new("OpenId:ClientsFile", file), new("Signup:PublicUrl", publicUrl)]).Build();
        Assert.Contains("Signup:PublicUrl", Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddOpenId(settings, new DerivedKeys(new byte[32]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void without_a_file_there_is_none_and_one_that_is_not_there_is_a_mistake()
    {
        Assert.Same(OpenIdClients.None, OpenIdClients.In(Settings("")));
        var why = Assert.Throws<InvalidOperationException>(() => OpenIdClients.In(Settings("/nowhere/applications.json"))).Message;
        Assert.Contains("/nowhere/applications.json", why, StringComparison.Ordinal);
        Assert.Contains("OpenId:ClientsFile", why, StringComparison.Ordinal);

        static IConfiguration Settings(string file) => new ConfigurationBuilder().AddInMemoryCollection([new("OpenId:ClientsFile", file)]).Build();
    }
}
