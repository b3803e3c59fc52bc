using Microsoft.Extensions.Logging.Abstractions;
using Signup.Mail;

namespace Signup.Tests.Unit.Mail;

public sealed class the_supervisor
{
    [Fact]
    public async Task tells_of_the_faults_that_there_were_when_it_was_asked()
    {
        var supervisor = new Supervisor(TimeProvider.System, NullLogger<Supervisor>.Instance);
        var before = supervisor.Faults;
        await supervisor.UntilDoneAsync("a loop", () => throw new IOException(), new CancellationToken(canceled: true));
        Assert.Empty(before);
        Assert.Equal(new("a loop", "IOException"), Assert.Single(supervisor.Faults));
    }
}
