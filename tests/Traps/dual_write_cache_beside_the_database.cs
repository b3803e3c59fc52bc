using System.Text.Json.Nodes;
using Signup.Tests.Integration.Gateway;

namespace Signup.Tests.Traps;

public sealed class dual_write_cache_beside_the_database(Stage stage)
{
    [Fact]
    public async Task where_the_second_write_fails_the_cache_says_barb_for_ever_but_what_is_derived_from_the_log_catches_up()
    {
        await using var database = await Stage.NaiveDatabaseAsync("create table users (id int primary key, name text); insert into users values (1, 'barb')");
        await using var cache = await Stage.NaiveDatabaseAsync("create table names (id int primary key, name text); insert into names values (1, 'barb')");
        var naive = new CacheBeside(database, cache);

        Story.Tell("barb wants to be called barbara. The database takes it; the cache has no space left, for a moment.");
        await Stage.RefuseWritesAsync(cache, "names");
        await Assert.ThrowsAsync<PostgresException>(() => naive.RenameAsync(1, "barbara"));
        await Stage.AcceptWritesAsync(cache, "names");
        Assert.Equal(("barbara", "barb"), (await NameAsync(database, "users"), await naive.NameAsync(1)));
        Story.Tell("The cache is well again, and says barb until somebody writes once more. Nobody knows which of its entries are like that.");

        Story.Tell("Here: the read model is what cannot be written to.");
        var email = Stage.NewEmail();
        Assert.Equal(201, (await stage.SignUpAsync(email, "barb")).Status);
        var session = GatewayHttp.Bearer(await stage.SignInAsync(email));
        await Wait.UntilAsync(async () => await stage.ListedAsync(email) == "barb", "the read model says barb");
        var table = await NameOfTableAsync();
        await Stage.RefuseWritesAsync(stage.System.Database, table);
        try
        {
            Assert.Equal(204, (await stage.Gateway.SendJsonAsync(HttpMethod.Put, "/account/username", new JsonObject { ["username"] = "barbara" }.ToJsonString(), session)).Status);
            using var query = stage.System.Client("Query");
            await Wait.UntilAsync(async () =>
            {
                using var health = await query.GetAsync("health/ready");
                return (await health.Content.ReadAsStringAsync()).Contains("The UsernameChanged", StringComparison.Ordinal);
            }, "it says that an event cannot be taken in");
            Assert.Equal("barb", await stage.ListedAsync(email));
        }
        finally
        {
            await Stage.AcceptWritesAsync(stage.System.Database, table);
        }
        await Wait.UntilAsync(async () => await stage.ListedAsync(email) == "barbara", "its checkpoint has not moved, so it takes the event in when it can");
    }

    private static async Task<string?> NameAsync(NpgsqlDataSource database, string table)
    {
        await using var connection = await database.OpenConnectionAsync();
        return await connection.ExecuteScalarAsync<string>($"select name from {table} where id = 1");
    }

    private async Task<string> NameOfTableAsync()
    {
        await using var connection = await stage.System.Database.OpenConnectionAsync();
        return $"query.accounts_{await connection.ExecuteScalarAsync<int>("select id from query.generation where state = 'live'")}";
    }
}

file sealed class CacheBeside(NpgsqlDataSource database, NpgsqlDataSource cache)
{
    public async Task RenameAsync(int id, string name)
    {
        await using var users = await database.OpenConnectionAsync();
        await users.ExecuteAsync("update users set name = @name where id = @id", new { id, name });
        await using var names = await cache.OpenConnectionAsync();
        await names.ExecuteAsync("update names set name = @name where id = @id", new { id, name });
    }

    /// <summary>What everybody reads.</summary>
    public async Task<string?> NameAsync(int id)
    {
        await using var names = await cache.OpenConnectionAsync();
        return await names.ExecuteScalarAsync<string>("select name from names where id = @id", new { id });
    }
}
