// A broadcast with `ws`: what comes on /publish goes to every other socket.
import { WebSocketServer } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), backlog: 4096 });
const receivers = new Set();

server.on("connection", (socket, request) => {
  if (request.url === "/publish") {
    socket.on("message", (data) => {
      for (const receiver of receivers) receiver.send(data, { binary: false });
    });
  } else {
    receivers.add(socket);
    socket.on("close", () => receivers.delete(socket));
  }
  socket.on("error", () => socket.terminate());
});
