const crypto = require("node:crypto");
const WebSocket = require("ws");

const KEY_ID = "8b6bcdc6-…";
const SECRET = "tk_demo_…";
const socket = new WebSocket("ws://127.0.0.1:8080/ws/events");

function signed() {
  const timestamp = Date.now();
  const sig = crypto.createHmac("sha256", SECRET).update(`${timestamp}GET/ws-auth`).digest("base64");
  return {key: KEY_ID, sig, timestamp};
}

socket.on("open", () => {
  const channels = ["trading:quotes:EUR-USD", "trading:orders_demo", "trading:positions_demo"];
  socket.send(JSON.stringify({type: "subscribe", channels, auth: signed()}));
});
socket.on("message", (text) => console.log(JSON.parse(text)));
socket.on("close", (code, reason) => console.log(`closed: ${code} ${reason}`));
