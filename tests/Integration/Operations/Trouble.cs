using Signup.Tests.Fixture;

namespace Signup.Tests.Integration.Operations;

/// <summary>What goes wrong with a deployment.</summary>
internal static class Trouble
{
    /// <summary>While the scope lasts, Uniqueness cannot do its work.</summary>
    public static async Task<IAsyncDisposable> BreakUniquenessAsync(this SignupSystem system)
    {
        await system.ExecuteAsync("alter table uniqueness.claims rename to mislaid");
        return new Undo(() => system.ExecuteAsync("alter table if exists uniqueness.mislaid rename to claims"));
    }

    public static async Task ExecuteAsync(this SignupSystem system, string sql)
    {
        await using var command = system.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private sealed class Undo(Func<Task> undo) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await undo();
    }
}
