using System.Text.Json;

namespace Signup.Tests.Integration.Uniqueness;

public class when_other_values_are_to_be_unique
{
    [Fact]
    public async Task a_few_lines_in_the_file_make_user_names_unique_all_or_nothing_with_the_address()
    {
        var parts = await FileAsync("""
            {
              "constraints": { "email": { "normalize": "email" }, "username": { "normalize": "casefold" } },
              "events": { "AccountCreated": { "email": { "create": "email" }, "username": { "create": "username" } } }
            }
            """);
        await using var system = await SignupSystem.StartAsync("names", new Dictionary<string, string> { ["Uniqueness__File"] = parts }, "Uniqueness");
        using var http = system.Client("Uniqueness");

        Assert.Equal(200, await PostAsync("ada", "a@example.org"));
        Assert.Equal(409, await PostAsync("ADA", "b@example.org"));
        // The refused one has not kept its address.
        Assert.Equal(200, await PostAsync("eve", "b@example.org"));

        async Task<int> PostAsync(string username, string email)
        {
            var body = JsonSerializer.Serialize(new
            {
                streamId = Guid.NewGuid(),
                expectedVersion = 0,
                type = "AccountCreated",
                data = new { username, email, passwordHash = "$x", language = "en", createdAt = DateTimeOffset.UnixEpoch },
            });
            using var response = await http.PostAsync("event", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
            return (int)response.StatusCode;
        }
    }

    [Fact]
    public async Task a_broken_file_stops_the_start_and_names_the_line()
    {
        var file = await FileAsync("{\n  \"constraints\": { \"email\": { \"normalize\": \"mail\" } }\n}");

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            SignupSystem.StartAsync("broken", new Dictionary<string, string> { ["Uniqueness__File"] = file }, "Uniqueness"));

        Assert.Contains("line 2: the normalizer 'mail' is unknown", failure.Message, StringComparison.Ordinal);
    }

    private static async Task<string> FileAsync(string content)
    {
        var path = Path.Combine(Path.GetTempPath(), $"uniqueness-{Guid.NewGuid():N}.json");
        await File.WriteAllTextAsync(path, content);
        return path;
    }
}
