/** The URL of `/ws` or `/sse` next to the one that was given. */
export function address(url: string, kind: "websocket" | "sse", query: [name: string, value: string][]): string {
  const target = new URL(url, globalThis.location?.href);
  if (!/^(ws|http)s?:$/.test(target.protocol)) throw new TypeError(`The URL ${url} is neither ws:, wss:, http: nor https:.`);
  const path = target.pathname;
  target.hash = "";
  if (kind === "sse") {
    target.protocol = target.protocol.replace("ws", "http");
    target.pathname = path.replace(/\/(ws|connect)?$/, "/sse");
  } else {
    target.protocol = target.protocol.replace("http", "ws");
    target.pathname = path.replace(/\/(sse)?$/, "/ws");
  }
  for (const [name, value] of query) target.searchParams.append(name, value);
  return target.href;
}
