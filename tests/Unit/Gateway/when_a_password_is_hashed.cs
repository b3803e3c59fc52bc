using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Signup.Gateway;
using Signup.Gateway.Passwords;

namespace Signup.Tests.Unit.Gateway;

public class when_a_password_is_hashed
{
    private static readonly byte[] Salt = Encoding.ASCII.GetBytes("0123456789abcdef");

    /// <summary>What the reference implementation prints: <c>printf PASSWORD | argon2 0123456789abcdef -id -v 13 -k MEMORY -t PASSES -p 1 -l 32 -e</c>.</summary>
    [Theory]
    [InlineData("correct horse battery", 19456, 2, "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$69I7qCjDTsQwhQqFvpQJiqEI0lGQvxC84fXE0Ktxca4")]
    [InlineData("Pässwörd 🔑", 8, 1, "$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$EKRjldbgH4PqOdXwV7+SWhoczKfXXoU0Z+XPzNr0Osw")]
    public void it_is_the_phc_string_that_the_reference_implementation_gives(string password, int memory, int passes, string expected) =>
        Assert.Equal(expected, new PasswordHasher(Options.Create(new HashingSettings { MemoryKiB = memory, Passes = passes })).Hash(Password.Prepare(password), Salt));

    [Fact]
    public void at_the_cost_of_before_it_is_what_it_was_before() =>
        Assert.Equal(new PasswordHasher(Options.Create(new HashingSettings { MemoryKiB = 8, Passes = 1 })).Hash("correct horse", Salt),
            new PasswordHasher(Options.Create(new HashingSettings())).Hash("correct horse", Salt, new HashingCost { MemoryKiB = 8, Passes = 1 }));

    [Fact]
    public void the_defaults_are_what_the_contract_says() =>
        Assert.StartsWith("$argon2id$v=19$m=19456,t=2,p=1$", new PasswordHasher(Options.Create(new HashingSettings())).Hash("correct horse", Salt), StringComparison.Ordinal);

    [Theory]
    [InlineData("Zoe\u0308 u\u0308ber alles", "Zoë über alles")]
    [InlineData("non\u00A0breaking\u3000spaces", "non breaking spaces")]
    public void however_a_keyboard_composes_it_it_is_the_same_password(string typed, string same) => Assert.Equal(Password.Prepare(same), Password.Prepare(typed));

    [Theory]
    [InlineData("Correct horse", "correct horse")]
    [InlineData("ﬁsh and chips", "fish and chips")]
    [InlineData(" correct horse", "correct horse")]
    public void what_looks_different_is_another_password(string one, string other) => Assert.NotEqual(Password.Prepare(one), Password.Prepare(other));

    [Fact]
    public async Task the_pool_hashes_and_tells_how_long_each_waited()
    {
        using var meters = new Meters();
        using var pool = meters.Pool(new HashingSettings { MemoryKiB = 8, Passes = 1, Parallel = 2 });

        var hashes = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => pool.HashAsync($"password {i % 5}", Salt, CancellationToken.None)));

        Assert.Equal(5, hashes.Distinct().Count());
        Assert.Equal(50, meters.Count("signup.password_hash.wait"));
    }

    [Fact]
    public async Task a_password_that_finds_the_queue_full_is_turned_away_at_once_and_those_before_it_are_hashed()
    {
        using var meters = new Meters();
        using var pool = meters.Pool(new HashingSettings { MemoryKiB = 64 * 1024, Passes = 3, Parallel = 1, QueueLimit = 2 });

        var started = new List<Task<string>>();
        var refused = 0;
        for (var i = 0; i < 10; i++)
        {
            try
            {
                started.Add(pool.HashAsync($"password {i}", Salt, CancellationToken.None));
            }
            catch (HashingBusyException e)
            {
                Assert.True(e.RetryAfter > TimeSpan.Zero);
                refused++;
            }
        }

        // One in work at most, two in the queue.
        Assert.InRange(started.Count, 2, 3);
        Assert.Equal(10, started.Count + refused);
        Assert.All(await Task.WhenAll(started), hash => Assert.StartsWith("$argon2id$", hash, StringComparison.Ordinal));
    }

    [Fact]
    public async Task nobody_hashes_for_someone_who_has_gone_away()
    {
        using var meters = new Meters();
        using var pool = meters.Pool(new HashingSettings { MemoryKiB = 64 * 1024, Passes = 3, Parallel = 1 });
        using var gone = new CancellationTokenSource();

        var first = pool.HashAsync("first", Salt, CancellationToken.None);
        var second = pool.HashAsync("second", Salt, gone.Token);
        await gone.CancelAsync();
        await first;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        Assert.Equal(1, meters.Count("signup.password_hash.duration"));
    }

    /// <summary>Listens to the gateway's own meter.</summary>
    private sealed class Meters : IDisposable
    {
        private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        private readonly MeterListener _listener = new();
        private readonly Dictionary<string, int> _counts = [];

        public HashingPool Pool(HashingSettings settings)
        {
            var factory = _services.GetRequiredService<IMeterFactory>();
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == GatewayMetrics.MeterName && ReferenceEquals(instrument.Meter.Scope, factory)) listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<double>((instrument, _, _, _) =>
            {
                lock (_counts) _counts[instrument.Name] = _counts.GetValueOrDefault(instrument.Name) + 1;
            });
            _listener.Start();
            return new HashingPool(new PasswordHasher(Options.Create(settings)), Options.Create(settings), new GatewayMetrics(factory));
        }

        public int Count(string instrument)
        {
            lock (_counts) return _counts.GetValueOrDefault(instrument);
        }

        public void Dispose()
        {
            _listener.Dispose();
            _services.Dispose();
        }
    }
}
