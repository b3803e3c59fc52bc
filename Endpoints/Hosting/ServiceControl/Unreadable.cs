using System.Text.Json;
using Wolverine;
using Wolverine.Runtime.Serialization;

namespace Signup.Hosting.ServiceControl;

/// <summary>Stands for a message whose body is not what its headers promise. Nothing handles it, so that it goes the way of all that nobody
/// handles, see <see cref="Failures"/>; an exception here would leave it to the bus.</summary>
internal sealed record Unreadable(Exception Fault)
{
    /// <summary>JSON as of <see cref="Wire"/>, or <see cref="Unreadable"/>.</summary>
    internal sealed class Serializer : IMessageSerializer
    {
        private readonly SystemTextJsonSerializer _json = new(Wire.Configure(new JsonSerializerOptions()));

        public string ContentType => _json.ContentType;

        public byte[] Write(Envelope envelope) => _json.Write(envelope);

        public byte[] WriteMessage(object message) => _json.WriteMessage(message);

        public object ReadFromData(Type messageType, Envelope envelope)
        {
            try
            {
                return _json.ReadFromData(messageType, envelope) ?? new Unreadable(new JsonException("The body is null."));
            }
            catch (Exception e)
            {
                return new Unreadable(e);
            }
        }

        public object ReadFromData(byte[] data) => _json.ReadFromData(data);
    }
}
