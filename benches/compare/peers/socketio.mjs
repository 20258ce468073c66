// A room of socket.io: what is published goes to everybody who has joined. No heartbeat is sent during a run.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const server = new Server(http, { transports: ["websocket"], pingInterval: 3_600_000 });

server.on("connection", (socket) => {
  socket.on("join", () => {
    socket.join("room");
    socket.emit("joined");
  });
  socket.on("publish", (message) => server.to("room").emit("message", message));
});

http.listen(Number(process.argv[2]), "127.0.0.1", 4096);
