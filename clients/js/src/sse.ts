import { retryAfter } from "./backoff.js";
import { forbidden, unauthorized } from "./closecodes.js";
import type { Transport, TransportEvents } from "./transport.js";

// The node's frames have at most four times `Push:Merge:MaxBatchBytes`, 1 MiB by default. A stranger's stream must not fill the memory.
const longestEvent = 64 << 20;

/** Server-sent events by `fetch`: unlike `EventSource` it shows heartbeats and statuses, and Node has it. */
export function openSse(url: string, fetch: typeof globalThis.fetch, events: TransportEvents): Transport {
  const abort = new AbortController();
  read().catch(error => events.closed({ code: 1006, reason: String(error?.message ?? error), clean: false }));
  return { kind: "sse", close: () => abort.abort() };

  async function read() {
    const response = await fetch(url, { headers: { accept: "text/event-stream" }, signal: abort.signal });
    const { status, headers, body } = response;
    if (status !== 200 || !headers.get("content-type")?.startsWith("text/event-stream") || !body) {
      abort.abort();
      const code = status === 401 ? unauthorized : status === 403 ? forbidden : 1006;
      events.closed({ code, reason: `HTTP ${status}`, clean: code !== 1006, retryIn: retryAfter(headers.get("retry-after")) });
      return;
    }
    events.opened();

    const reader = body.getReader();
    const decoder = new TextDecoder();
    const parse = eventParser((name, data) => {
      if (name === "close") {
        const { code, reason } = JSON.parse(data);
        events.closed({ code: Number(code), reason: String(reason), clean: true });
        abort.abort();
      } else {
        events.message(() => ({ type: name.toUpperCase(), data: JSON.parse(data) }), data.length);
      }
    });
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      events.heard();
      parse(decoder.decode(value, { stream: true }));
    }
    events.closed({ code: 1006, reason: "The response ended.", clean: false });
  }
}

/** Takes a stream of server-sent events in any pieces, and calls for each event that has data. */
export function eventParser(event: (name: string, data: string) => void): (text: string) => void {
  let rest = "";
  let name = "";
  let data: string[] = [];
  let size = 0;

  const line = (text: string) => {
    if (text === "") {
      if (data.length) event(name || "message", data.join("\n"));
      name = "";
      data = [];
      size = 0;
    }
    const [, field, value] = /^(\w+)(?:: ?(.*))?$/s.exec(text) ?? [];
    if (field === "event") name = value ?? "";
    if (field === "data") data.push(value ?? "");
  };

  return text => {
    let start = 0;
    let end: number;
    const searched = rest.length;
    rest += text;
    size += text.length;
    if (size > longestEvent) throw new Error(`An event has more than ${longestEvent} characters.`);
    while ((end = rest.indexOf("\n", Math.max(start, searched))) >= 0) {
      line(rest.slice(start, rest[end - 1] === "\r" ? end - 1 : end));
      start = end + 1;
    }
    rest = rest.slice(start);
  };
}
