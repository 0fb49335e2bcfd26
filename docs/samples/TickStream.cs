using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

const string ApiKey = "tk_demo_…";
var url = new Uri("ws://127.0.0.1:8080/ws/ticks");

using var socket = new ClientWebSocket();
await socket.ConnectAsync(url, CancellationToken.None);
Console.WriteLine(await Receive());  // Welcome message

await Send(new { type = "auth", apiKey = ApiKey });
Console.WriteLine(await Receive());

await Send(new { type = "subscribe", symbols = new[] { "EURUSD", "GBPUSD", "XAUUSD" } });
for (var text = await Receive(); text != ""; text = await Receive())
    Console.WriteLine(text);
Console.WriteLine($"closed: {(int?)socket.CloseStatus} {socket.CloseStatusDescription}");

Task Send(object message) =>
    socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, true, CancellationToken.None);

async Task<string> Receive()  // "" when the server has closed
{
    var text = new MemoryStream();
    var buffer = new byte[4096];
    WebSocketReceiveResult part;
    do
    {
        part = await socket.ReceiveAsync(buffer, CancellationToken.None);
        text.Write(buffer, 0, part.Count);
    } while (!part.EndOfMessage);
    return Encoding.UTF8.GetString(text.ToArray());
}
