using JasperFx;
using JasperFx.CodeGeneration;
using JasperFx.CodeGeneration.Frames;
using JasperFx.CodeGeneration.Model;
using Signup.Messages.Accounts;
using Signup.Messages.Mail;
using Signup.Messages.Uniqueness;
using Wolverine.Configuration;
using Wolverine.Runtime.Handlers;

namespace Signup.Hosting;

/// <summary>
/// What becomes of the values that handlers return, so that handlers need no bus: facts are appended, proposals are handed on, verdicts are
/// answers. All of it happens before the message is acknowledged, and a failure keeps the message.
/// The bus's own cascading is not used for these, since it logs a failed send and acknowledges all the same.
/// </summary>
internal sealed class ReturnValues : IHandlerPolicy
{
    public void Apply(IReadOnlyList<HandlerChain> chains, GenerationRules rules, IServiceContainer container)
    {
        foreach (var chain in chains)
        {
            Each<Append>(chain, value => Call<LogWriter>(nameof(LogWriter.AppendAsync), value));
            Each<ProposeEvent>(chain, value => Call<HandlerSends>(nameof(HandlerSends.ForwardAsync), Constant.For(Topology.Uniqueness), value));
            Each<Verdict>(chain, value => Call<HandlerSends>(nameof(HandlerSends.ReplyAsync), value));
            Each<ActivationVerdict>(chain, value => Call<HandlerSends>(nameof(HandlerSends.ReplyAsync), value));
            Each<ResendVerdict>(chain, value => Call<HandlerSends>(nameof(HandlerSends.ReplyAsync), value));
        }
    }

    private static void Each<T>(HandlerChain chain, Func<Variable, Frame> frame)
    {
        foreach (var value in chain.ReturnVariablesOfType<T>().ToArray()) value.UseReturnAction(frame);
    }

    private static MethodCall Call<T>(string method, params Variable[] arguments)
    {
        var call = new MethodCall(typeof(T), method);
        for (var i = 0; i < arguments.Length; i++) call.Arguments[i] = arguments[i];
        return call;
    }
}
