using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Handling;

namespace Signup.Tests.Unit.Hosting;

public sealed class when_a_message_fails
{
    [Fact]
    public void because_its_transaction_was_ended_under_it_it_is_tried_again() =>
        Assert.True(Recoverability.IsTransient(new PostgresException("", "FATAL", "FATAL", "25P03")));

    [Fact]
    public void because_the_channel_it_published_on_was_lost_it_is_tried_again()
    {
        Assert.True(Recoverability.IsTransient(new ObjectDisposedException("RabbitMQ.Client.Impl.Channel")));
        Assert.False(Recoverability.IsTransient(new ObjectDisposedException("System.IO.MemoryStream")));
    }

    [Theory]
    [InlineData("08006"), InlineData("0A000"), InlineData("25006"), InlineData("26000"), InlineData("28P01"), InlineData("3D000"), InlineData("40P01"), InlineData("53100"), InlineData("53300")]
    [InlineData("55P03"), InlineData("57014"), InlineData("57P03"), InlineData("58030")]
    public void because_of_a_state_of_the_database_that_passes_it_is_tried_again_whoever_reports_it(string state)
    {
        var fault = new PostgresException("", "ERROR", "ERROR", state);
        Assert.True(Recoverability.IsTransient(fault));
        Assert.True(Recoverability.IsTransient(new InvalidOperationException("", fault)));
        Assert.True(Recoverability.IsTransient(new AggregateException(fault)));
    }

    [Fact]
    public void because_the_databases_client_has_slipped_it_is_tried_again_and_because_of_a_handlers_slip_it_is_set_aside()
    {
        Assert.True(Recoverability.IsTransient(SlipOf("Npgsql")));
        Assert.False(Recoverability.IsTransient(SlipOf("Signup.Accounts")));

        static Exception SlipOf(string assembly)
        {
            var slip = (Exception)RuntimeHelpers.GetUninitializedObject(typeof(NullReferenceException));
            slip.Source = assembly;
            return slip;
        }
    }

    [Fact]
    public void because_another_process_cannot_be_asked_now_it_is_tried_again_and_because_that_does_not_understand_it_is_set_aside()
    {
        foreach (var passes in new HttpStatusCode?[] { null, HttpStatusCode.ServiceUnavailable, HttpStatusCode.Unauthorized }) Assert.True(Recoverability.IsTransient(new HttpRequestException("", null, passes)));
        Assert.False(Recoverability.IsTransient(new HttpRequestException("", null, HttpStatusCode.BadRequest)));
    }

    [Fact]
    public void because_no_host_is_the_primary_or_the_standby_was_not_waited_for_it_is_tried_again()
    {
        // What Npgsql says: none was tried, none could be reached.
        Assert.True(Recoverability.IsTransient(new NpgsqlException("No suitable host was found.")));
        Assert.True(Recoverability.IsTransient(new NpgsqlException("", new AggregateException(new NpgsqlException("", new SocketException()), new PostgresException("", "FATAL", "FATAL", "57P03")))));
        Assert.False(Recoverability.IsTransient(new NpgsqlException("", new AggregateException(new InvalidCastException()))));
        Assert.True(Recoverability.IsTransient(new CommitInDoubtException()) && Recoverability.IsUnreachable(new CommitInDoubtException()));
    }

    [Fact]
    public void because_somebody_else_was_faster_it_is_decided_again()
    {
        Assert.True(Recoverability.HasMovedOn(new StreamMovedOnException(Guid.NewGuid())));
        Assert.True(Recoverability.HasMovedOn(new InvalidOperationException("", new PostgresException("", "ERROR", "ERROR", PostgresErrorCodes.UniqueViolation))));
    }

    [Theory]
    [InlineData("23514"), InlineData("22P05"), InlineData("42P01"), InlineData("25P02")]
    public void because_of_what_it_holds_it_is_set_aside(string state) => Assert.False(Recoverability.IsTransient(new PostgresException("", "ERROR", "ERROR", state)));

    [Fact]
    public void because_the_database_is_away_it_is_tried_at_least_every_six_seconds_for_as_long_as_that_takes()
    {
        for (var attempt = 1; attempt <= 100; attempt++)
            Assert.InRange(Recoverability.RetryAfter(new CommitInDoubtException(), attempt)!.Value.Pause, TimeSpan.Zero, TimeSpan.FromSeconds(6));
    }

    [Fact]
    public void because_of_a_file_or_a_wait_of_its_handler_it_is_set_aside()
    {
        Assert.False(Recoverability.IsTransient(new FileNotFoundException()));
        Assert.False(Recoverability.IsTransient(new TimeoutException()));
    }
}
