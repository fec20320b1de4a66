import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ChildProcess, freePorts, listens, until } from "../measure/processes.mjs";

/**
 * Gives clients that speak no TLS their TLS: an nginx on the clients' side, which has a connection of its own to the server for each of them. Sessions are
 * to be resumed, as browsers do; whether they are was not checked.
 */
export class TlsClients {
  #child;

  /**
   * @param directory For its files.
   * @param server Where nginx of the farm serves TLS: https://127.0.0.1:7443.
   */
  static async start(directory, server) {
    const clients = new TlsClients();
    const [port] = await freePorts(1);
    const place = join(directory, "tls-clients");
    mkdirSync(place);
    const file = join(place, "nginx.conf");
    writeFileSync(file, `
      worker_processes auto;
      error_log stderr emerg;
      pid ${place}/nginx.pid;
      events { worker_connections 20000; }
      http {
        access_log off;
        ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(name => `${name}_temp_path ${place}/${name};`).join(" ")}
        # Clients have addresses of their own: from a single one, finding a free port takes long once half of them are used.
        split_clients $connection $source { 25% 127.0.1.1; 25% 127.0.1.2; 25% 127.0.1.3; * 127.0.1.4; }
        server {
          listen 127.0.0.1:${port} reuseport backlog=4096;
          location / {
            proxy_pass ${server};
            proxy_bind $source;
            proxy_ssl_protocols TLSv1.3;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_buffering off;
            proxy_read_timeout 1h;
          }
        }
      }`);
    clients.#child = new ChildProcess("nginx", ["-e", "stderr", "-c", file, "-g", "daemon off;"]);
    await until(() => clients.#child.hasEnded || listens(port), 10, () => `nginx for the clients' TLS does not listen: ${clients.#child.lastWords}`);
    if (clients.#child.hasEnded) throw new Error(`nginx for the clients' TLS ended: ${clients.#child.lastWords}`);
    clients.url = `ws://127.0.0.1:${port}/ws`;
    return clients;
  }

  cpuSeconds() { return this.#child.cpuSeconds(); }
}
