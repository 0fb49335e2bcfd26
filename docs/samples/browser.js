// Public channels need no key, and a page should hold none.
const socket = new WebSocket("ws://127.0.0.1:8080/ws/events");
socket.onopen = () => socket.send(JSON.stringify({
  type: "subscribe",
  channels: ["trading:quotes:EUR-USD@250ms", "trading:candles:BTC-USD:1"],
}));
socket.onmessage = (message) => console.log(JSON.parse(message.data));
socket.onclose = ({code, reason}) => console.log(`closed: ${code} ${reason}`);
