using RabbitMQ.Client;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;

namespace Signup.Tests.Integration.Operations;

[Collection("operated system")]
public sealed class when_handling_a_message_fails(OperatedSystem operated)
{
    [Fact]
    public async Task an_operator_sees_who_failed_at_what_and_why()
    {
        // A sender with a bug: the field is missing, and the handler falls over it.
        var id = Guid.NewGuid().ToString();
        var body = """{"AccountId":"0199f000-0000-7000-8000-000000000001","Username":"ada","Email":"ada@example.org"}"""u8.ToArray();
        await operated.SendAsync(Topology.Accounts, OperatedSystem.AsNServiceBus(typeof(SignUp), id, "partner"), body);

        var failed = (await operated.ServiceControl.FailedAsync(id, "accounts")).Last;
        Assert.Equal(body, failed.Body);
        Assert.Equal("System.NullReferenceException", failed.Headers[WireHeaders.ExceptionType]);
        Assert.Contains("SignUpHandler", failed.Headers[WireHeaders.ExceptionStackTrace], StringComparison.Ordinal);
        Assert.Equal("accounts", failed.Headers[WireHeaders.FailedQ]);
        Assert.Equal("accounts", failed.Headers[WireHeaders.ProcessingEndpoint]);
        Assert.Equal(Environment.MachineName, failed.Headers[WireHeaders.ProcessingMachine]);
        Assert.True(Guid.TryParseExact(failed.Headers[WireHeaders.HostId], "N", out _));
        Assert.Equal(typeof(SignUp).AssemblyQualifiedName, failed.Headers[WireHeaders.EnclosedMessageTypes]);
        Assert.Equal("partner", failed.Headers[WireHeaders.OriginatingEndpoint]);
        Assert.Equal("partner", failed.Headers[WireHeaders.ReplyToAddress]);
        Assert.Equal("fcb3cb99-831c-4577-b771-b50b00d42b96", failed.Headers[WireHeaders.ConversationId]);
        Assert.InRange(Wire.ReadDate(failed.Headers[WireHeaders.TimeOfFailure])!.Value, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow);
        Assert.DoesNotContain(failed.Headers.Keys, h => h.StartsWith("exception-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task a_message_of_an_unknown_type_is_kept_whole()
    {
        var id = Guid.NewGuid().ToString();
        var properties = OperatedSystem.AsNServiceBus(typeof(SignUp), id);
        properties.Type = "Partner.Something";
        properties.Headers![WireHeaders.EnclosedMessageTypes] = "Partner.Something, Partner, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null";
        await operated.SendAsync(Topology.Accounts, properties, "{}"u8.ToArray());

        var failed = (await operated.ServiceControl.FailedAsync(id, "accounts")).Last;
        Assert.Equal("Signup.Hosting.Handling.UnknownMessageException", failed.Headers[WireHeaders.ExceptionType]);
        Assert.StartsWith("Partner.Something,", failed.Headers[WireHeaders.EnclosedMessageTypes], StringComparison.Ordinal);
        Assert.Equal("{}", failed.Text);
    }

    [Fact]
    public async Task a_body_that_cannot_be_read_is_kept_byte_by_byte()
    {
        var id = Guid.NewGuid().ToString();
        byte[] body = [0xFF, 0x00, (byte)'{'];
        await operated.SendAsync(Topology.Accounts, OperatedSystem.AsNServiceBus(typeof(SignUp), id), body);

        var failed = (await operated.ServiceControl.FailedAsync(id, "accounts")).Last;
        Assert.Equal("System.Text.Json.JsonException", failed.Headers[WireHeaders.ExceptionType]);
        Assert.Equal(body, failed.Body);
    }

    [Fact]
    public async Task what_has_neither_headers_nor_properties_is_kept_under_a_name_of_its_own()
    {
        var body = Guid.NewGuid().ToByteArray();
        await operated.SendAsync(Topology.Accounts, new BasicProperties(), body);

        var failed = await Wait.ForAsync(() => Task.FromResult(operated.ServiceControl.Messages.Values.FirstOrDefault(m => m.Last.Body.SequenceEqual(body))), "the raw message is in error");
        Assert.True(Guid.TryParse(failed.Last.Headers[WireHeaders.MessageId], out _));
        Assert.Equal("accounts", failed.Last.Headers[WireHeaders.FailedQ]);
        Assert.DoesNotContain(failed.Last.Headers.Keys, h => h.Contains("originating", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task nothing_that_arrives_in_error_is_refused_by_ServiceControl()
    {
        await a_message_of_an_unknown_type_is_kept_whole();
        await what_has_neither_headers_nor_properties_is_kept_under_a_name_of_its_own();
        Assert.Empty(operated.ServiceControl.FailedImports);
    }

    [Fact]
    public async Task for_as_long_as_what_may_pass_does_not_it_keeps_its_place_and_holds_up_nobody()
    {
        var (stuck, other) = (OperatedSystem.NewSignUp(), OperatedSystem.NewSignUp());
        await operated.ExecuteAsync($"""
            create function full_disk() returns trigger language plpgsql as $$ begin raise exception using errcode = '53100', message = 'no room'; end $$;
            create trigger full_disk before insert on log.mt_events for each row when (new.stream_id = '{stuck.AccountId}') execute function full_disk();
            """);
        try
        {
            await operated.SendAsync(Topology.Accounts, OperatedSystem.AsNServiceBus(typeof(SignUp), stuck.AccountId.ToString()), OperatedSystem.Body(stuck));
            await Wait.UntilAsync(() => Task.FromResult(operated.System["Uniqueness"].LogLines("and rests: 53100: no room").Length > 0), "it rests");

            var verdict = await operated.System.Commands.AskAsync<Verdict>(Topology.Accounts, other, other.AccountId, TimeSpan.FromSeconds(5), Wait.Token);

            Assert.Equal(VerdictOutcome.Accepted, verdict?.Outcome);
            // Taken by Uniqueness, and not acknowledged: no copy of it waits at the queue's end.
            Assert.Equal(0u, await operated.Channel.MessageCountAsync(Topology.Uniqueness));
        }
        finally
        {
            await operated.ExecuteAsync("drop function full_disk cascade");
        }
        await Wait.UntilAsync(async () => await operated.EventsOfAsync(stuck.AccountId) == 1, "it is handled when there is room again");
        Assert.DoesNotContain(operated.ServiceControl.Messages.Values, m => m.Last.Text.Contains(stuck.AccountId.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task it_stays_in_its_queue_until_the_broker_has_it_in_error_even_if_the_endpoint_dies_meanwhile()
    {
        var id = Guid.NewGuid().ToString();
        var accounts = operated.System["Accounts"];
        await operated.Channel.ExchangeDeleteAsync(Topology.Error);
        // Of another shape: what is only missing would be declared again by the next process that opens a channel, whenever that is.
        await operated.Channel.ExchangeDeclareAsync(Topology.Error, ExchangeType.Direct, durable: true);
        try
        {
            await operated.SendAsync(Topology.Accounts, OperatedSystem.AsNServiceBus(typeof(SignUp), id), "not JSON"u8.ToArray());
            await Wait.UntilAsync(() => Task.FromResult(accounts.LogLines($"SignUp {id} cannot be moved to the queue error yet").Length > 0), "the endpoint has tried");
            await accounts.KillAsync();
        }
        finally
        {
            await operated.Channel.ExchangeDeleteAsync(Topology.Error);
            await Topology.DeclareAsync(operated.Channel, Wait.Token);
        }
        await accounts.StartAsync();

        Assert.Equal("not JSON", (await operated.ServiceControl.FailedAsync(id, "accounts")).Last.Text);
    }
}

[Collection("operated system")]
public sealed class when_an_operator_retries_a_message(OperatedSystem operated)
{
    [Fact]
    public async Task it_is_handled_once_and_acknowledged_once()
    {
        var command = OperatedSystem.NewSignUp();
        await using var partner = await operated.PartnerAsync("retried");
        FailedMessage failed;
        await using (await operated.BreakUniquenessAsync())
        {
            await operated.SendAsync(Topology.Accounts, OperatedSystem.AsNServiceBus(typeof(SignUp), command.AccountId.ToString(), "retried"), OperatedSystem.Body(command));
            failed = await OfUniquenessAsync(command);
        }
        Assert.Equal("Npgsql.PostgresException", failed.Last.Headers[WireHeaders.ExceptionType]);

        await operated.ServiceControl.RetryAsync(failed);

        await ResolvedAsync(failed);
        Assert.Equal(1, await operated.EventsOfAsync(command.AccountId));
        // Whoever asked gets the answer, late as it is.
        Assert.Contains("\"Outcome\":\"Accepted\"", (await partner.NextAsync()).Text, StringComparison.Ordinal);
        Assert.Equal(1, failed.Acknowledgements);
        Assert.Single(failed.Attempts);
    }

    [Fact]
    public async Task it_may_fail_again_and_again_and_succeed_in_the_end_under_one_and_the_same_message_id()
    {
        var command = OperatedSystem.NewSignUp();
        await using var subscriber = await operated.PartnerAsync("subscriber-of-retries", typeof(AccountCreated));
        FailedMessage failed;
        await using (await operated.BreakUniquenessAsync())
        {
            await operated.SendAsync(Topology.Accounts, OperatedSystem.AsNServiceBus(typeof(SignUp), command.AccountId.ToString()), OperatedSystem.Body(command));
            failed = await OfUniquenessAsync(command);
            var first = failed.Last.Headers;

            for (var times = 2; times <= 3; times++)
            {
                await operated.ServiceControl.RetryAsync(failed);
                await Wait.UntilAsync(() => Task.FromResult(failed.Attempts.Count == times), $"failed {times} times");
                Assert.Equal(first[WireHeaders.MessageId], failed.Last.Headers[WireHeaders.MessageId]);
                Assert.Equal(first[WireHeaders.EnclosedMessageTypes], failed.Last.Headers[WireHeaders.EnclosedMessageTypes]);
                Assert.True(failed.Last.Headers.ContainsKey(WireHeaders.RetryUniqueMessageId));
                Assert.NotEqual(first[WireHeaders.TimeOfFailure], failed.Last.Headers[WireHeaders.TimeOfFailure]);
            }
        }
        Assert.Equal(0, failed.Acknowledgements);

        await operated.ServiceControl.RetryAsync(failed);

        await ResolvedAsync(failed);
        Assert.Equal(1, failed.Acknowledgements);
        Assert.Equal(1, await operated.EventsOfAsync(command.AccountId));
        // What it led to is no retry.
        Assert.DoesNotContain((await subscriber.EventOfAsync(command.AccountId)).Headers.Keys, h => h.StartsWith("ServiceControl.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task of_what_is_done_already_nothing_is_done_twice()
    {
        var command = OperatedSystem.NewSignUp();
        FailedMessage failed;
        await using (await operated.BreakUniquenessAsync())
        {
            await operated.SendAsync(Topology.Accounts, OperatedSystem.AsNServiceBus(typeof(SignUp), command.AccountId.ToString()), OperatedSystem.Body(command));
            failed = await OfUniquenessAsync(command);
        }
        await operated.ServiceControl.RetryAsync(failed);
        await ResolvedAsync(failed);

        // An impatient operator: the same again.
        await operated.ServiceControl.RetryAsync(failed);

        await Wait.UntilAsync(() => Task.FromResult(failed.Acknowledgements == 2), "acknowledged again");
        Assert.Equal(1, await operated.EventsOfAsync(command.AccountId));
    }

    [Fact]
    public async Task one_that_was_edited_is_another_message_and_needs_no_acknowledgement()
    {
        var (command, id) = (OperatedSystem.NewSignUp(), Guid.NewGuid().ToString());
        await using var partner = await operated.PartnerAsync("edited");
        await operated.SendAsync(Topology.Accounts, OperatedSystem.AsNServiceBus(typeof(SignUp), id, "edited"), "not JSON"u8.ToArray());
        var failed = await operated.ServiceControl.FailedAsync(id, "accounts");

        // Not well enough the first time.
        var second = await operated.ServiceControl.FailedAsync(await operated.ServiceControl.EditAsync(failed, "still not JSON"u8.ToArray()), "accounts");
        Assert.Equal("still not JSON", second.Last.Text);
        await operated.ServiceControl.EditAsync(second, OperatedSystem.Body(command));

        Assert.Contains("\"Outcome\":\"Accepted\"", (await partner.NextAsync()).Text, StringComparison.Ordinal);
        Assert.Equal(1, await operated.EventsOfAsync(command.AccountId));
        // Whatever was sent besides has arrived when the next failure has.
        var next = Guid.NewGuid().ToString();
        await operated.SendAsync(Topology.Accounts, OperatedSystem.AsNServiceBus(typeof(SignUp), next), "not JSON"u8.ToArray());
        await operated.ServiceControl.FailedAsync(next, "accounts");
        Assert.Equal((0, 0), (failed.Acknowledgements, second.Acknowledgements));
        Assert.Empty(operated.ServiceControl.FailedImports);
    }

    /// <summary>The proposal that the sign-up has led to.</summary>
    private Task<FailedMessage> OfUniquenessAsync(SignUp command) => Wait.ForAsync(() => Task.FromResult(operated.ServiceControl.Messages.Values.FirstOrDefault(m =>
        m.Last.Headers[WireHeaders.FailedQ] == "uniqueness" && m.Last.Text.Contains(command.AccountId.ToString(), StringComparison.Ordinal))), "the proposal has failed in Uniqueness");

    private static Task ResolvedAsync(FailedMessage failed) => Wait.UntilAsync(() => Task.FromResult(failed.Status == "resolved"), "ServiceControl shows it as resolved");
}
