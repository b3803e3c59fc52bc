using Microsoft.Extensions.Configuration;
using Signup.Uniqueness.Commands;

namespace Signup.Tests.Unit.Uniqueness;

public class when_the_log_is_given_to_another_role
{
    private const string Endpoint = "Host=db;Database=signup;Username=signup;Password=one", Owner = "Host=db;Database=signup;Username=signup_owner;Password=two";

    [Fact]
    public void both_roles_are_told_from_how_they_sign_in()
    {
        var (owner, role) = Read(Owner, Endpoint);
        Assert.Equal(("signup_owner", "two", "signup"), (owner.Username, owner.Password, role));
    }

    [Theory]
    [InlineData("", Endpoint, "The setting ConnectionStrings:PostgresOwner is missing.")]
    [InlineData("Host=db;Username=signup_owner", Endpoint, "ConnectionStrings:PostgresOwner must name a Database and a Username.")]
    [InlineData(Owner, "Host=db;Database=signup", "ConnectionStrings:Postgres must name a Database and a Username.")]
    [InlineData(Owner, "Host=db;Database=other;Username=signup", "both must be about one")]
    [InlineData(Endpoint, Endpoint, "they must be two")]
    public void whoever_sets_it_up_wrongly_is_told(string owner, string endpoint, string said) =>
        Assert.Contains(said, Assert.Throws<InvalidOperationException>(() => Read(owner, endpoint)).Message, StringComparison.Ordinal);

    private static (Npgsql.NpgsqlConnectionStringBuilder Owner, string Role) Read(string owner, string endpoint) =>
        Migrate.Read(new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:PostgresOwner", owner), new("ConnectionStrings:Postgres", endpoint)]).Build());
}
