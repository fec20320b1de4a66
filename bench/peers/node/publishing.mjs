import { createServer } from "node:http";

/** An HTTP server whose POST /publish passes its body, as a buffer, to `send`. */
export function publishingServer(send) {
  return createServer((request, response) => {
    const parts = [];
    request.on("data", part => parts.push(part));
    request.on("end", () => {
      if (request.method === "POST" && request.url === "/publish") send(Buffer.concat(parts));
      response.writeHead(202).end();
    });
  });
}
