using System.Runtime.CompilerServices;
using Marten.Exceptions;
using Npgsql;
using Signup.Hosting;

namespace Signup.Tests.Unit.Hosting;

public sealed class when_a_message_fails
{
    [Fact]
    public void because_its_transaction_was_ended_under_it_it_is_tried_again()
    {
        Assert.True(Recoverability.IsTransient(new PostgresException("", "FATAL", "FATAL", "25P03")));
        Assert.True(Recoverability.IsTransient((Exception)RuntimeHelpers.GetUninitializedObject(typeof(SessionTransactionUnusableException))));
    }

    [Fact]
    public void because_the_channel_it_published_on_was_lost_it_is_tried_again()
    {
        Assert.True(Recoverability.IsTransient(new ObjectDisposedException("RabbitMQ.Client.Impl.Channel")));
        Assert.False(Recoverability.IsTransient(new ObjectDisposedException("System.IO.MemoryStream")));
    }

    [Fact]
    public void because_of_what_it_holds_it_is_set_aside() => Assert.False(Recoverability.IsTransient(new PostgresException("", "ERROR", "ERROR", PostgresErrorCodes.CheckViolation)));
}
