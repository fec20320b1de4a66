// Tokens: how they are presented, renewed and given up.
import assert from "node:assert/strict";
import { test } from "node:test";
import { watched } from "./support/clients.mjs";
import { eventually } from "./support/eventually.mjs";
import { httpServer } from "./support/fakes.mjs";
import { answerAuth, answerJoin, start, tokensOf } from "./support/offline.mjs";

const alice = { user: "alice", expires: 2_000_000_000 };

test("A WebSocket's token is in no URL: it goes first, and JOINs do not wait for its answer", async t => {
  const { client, time, sockets } = start(t, { token: "a b&c" }, socket => { socket.received = () => {}; socket.open(); });
  client.join("x");
  await time.passes(1);
  assert.deepEqual([sockets[0].url, sockets[0].sent.map(({ type }) => type), tokensOf(sockets[0])], ["wss://example.org/ws", ["AUTH", "JOIN"], ["a b&c"]]);
});

test("AUTHED says who the client is", async t => {
  const { client, time } = start(t, { token: "t" }, socket => { answerAuth(socket, () => alice); socket.open(); });
  const told = [];
  client.on("authed", authed => told.push(authed));
  client.connect();
  assert.equal(client.user, undefined);
  await time.passes(1);
  assert.deepEqual([client.user, told], ["alice", [alice]]);
});

for (const code of ["auth_off", "unknown_type"]) {
  test(`A node that answers ${code} knows no tokens, and the client goes on without`, async t => {
    const { client, time, sockets, errors } = start(t, { getToken: () => "t" }, socket => { answerAuth(socket, () => code); socket.open(); });
    const room = client.join("x");
    await time.passes(60_000);
    assert.deepEqual([room.state, sockets.length, errors, tokensOf(sockets[0]).length], ["joined", 1, [], 1]);
  });
}

test("A refused token is renewed, but not twice in a row", async t => {
  const tokens = [];
  const { client, time, sockets, errors } = start(t, { getToken: async () => { tokens.push(`t${tokens.length}`); return tokens.at(-1); } }, (socket, n) => {
    answerJoin(socket);
    socket.open();
    if (n !== 1) socket.end(4001, "token expired");
  });
  client.join("x");
  await time.passes(60_000);
  assert.deepEqual(sockets.map(tokensOf), [["t0"], ["t1"]]);
  assert.equal(client.state, "connected");
  // The second token has worked for a while: it has expired in its turn. The third is refused at once.
  sockets[1].end(4001, "token expired");
  await time.passes(60_000);
  assert.deepEqual([sockets.length, client.state, errors.at(-1).final], [3, "disconnected", true]);
});

test("A first token that ERROR refuses counts like close code 4001", async t => {
  const { client, time, sockets, states } = start(t, { getToken: () => `t${sockets.length}` }, socket => {
    answerAuth(socket, token => token === "t0" ? "bad_token" : alice);
    socket.open();
  });
  client.connect();
  await time.passes(60_000);
  assert.deepEqual([sockets.map(tokensOf), sockets[0].closed, client.user], [[["t0"], ["t1"]], true, "alice"]);
  assert.equal(states.find(({ code }) => code).code, 4001);
});

test("Without getToken a refused token ends the client", async t => {
  const { client, time, sockets, errors } = start(t, { token: "t" }, socket => { answerAuth(socket, () => "bad_token"); socket.open(); });
  client.connect();
  await time.passes(60_000);
  assert.deepEqual([client.state, sockets.length, errors.map(({ code, final }) => [code, final])], ["disconnected", 1, [["closed", true]]]);
});

test("A token is kept for other reconnects, and given before getToken is asked", async t => {
  let asked = 0;
  const { client, time, sockets } = start(t, { token: "first", getToken: () => `${++asked}` }, (socket, n) => { socket.open(); if (n < 3) socket.end(); });
  client.connect();
  await time.passes(60_000);
  assert.deepEqual([sockets.length, asked, tokensOf(sockets[3])], [4, 0, ["first"]]);
});

test("A getToken that fails is told, and asked again", async t => {
  const answers = [() => { throw new Error("sync"); }, () => Promise.reject(new Error("async")), () => undefined, () => new Promise(() => {}), () => "good"];
  const { client, time, sockets, errors } = start(t, { getToken: () => answers.shift()() }, socket => socket.open());
  client.connect();
  await time.passes(60_000);
  assert.deepEqual([client.state, sockets.length], ["connected", 1]);
  assert.deepEqual(errors.map(({ code, final }) => [code, final]), [["token", false], ["token", false], ["token", false]]);
});

test("A token that expires is renewed in half the time that is left, over the same connection", async t => {
  let asked = 0;
  const { client, time, sockets } = start(t, { getToken: () => `t${asked++}` }, socket => { answerAuth(socket, () => alice); socket.open(); });
  client.connect();
  await time.passes(1);
  for (let n = 0; n < 3; n++) sockets[0].tell("EXPIRING", { in: 60 });
  await time.passes(14_000);
  assert.equal(asked, 1);
  await time.passes(2000);
  assert.deepEqual([asked, sockets.length, tokensOf(sockets[0])], [2, 1, ["t0", "t1"]]);
  sockets[0].tell("EXPIRING", { in: 60 });
  await time.passes(60_000);
  assert.deepEqual([asked, sockets.length, tokensOf(sockets[0])], [3, 1, ["t0", "t1", "t2"]]);
});

test("A renewal that fails is tried again with growing jitter, until the connection ends", async t => {
  let asked = 0;
  const getToken = () => {
    if (asked++ && asked < 8) throw new Error("The issuer is away.");
    return `t${asked}`;
  };
  const { client, time, sockets, errors } = start(t, { getToken }, socket => { answerAuth(socket, () => alice); socket.open(); });
  client.connect();
  await time.passes(1);
  sockets[0].tell("EXPIRING", { in: 60 });
  await time.passes(15_000 + 500 + 1000 + 2000 + 4000 + 10);
  assert.deepEqual([asked, errors.length, errors.every(({ code, final }) => code === "token" && !final)], [6, 5, true]);
  sockets[0].end(4001, "token expired");
  await time.passes(60_000);
  assert.deepEqual(sockets.slice(1).map(tokensOf), [["t8"]], "after 4001 the next connection asks, and no timer of the old one does");
  assert.equal(client.user, "alice");
});

test("A renewed token that the node refuses is told and replaced; the connection stays", async t => {
  let asked = 0;
  const { client, time, sockets, errors } = start(t, { getToken: () => `t${asked++}` }, socket => {
    answerAuth(socket, (_, n) => n === 1 ? "bad_token" : alice);
    socket.open();
  });
  client.connect();
  await time.passes(1);
  sockets[0].tell("EXPIRING", { in: 60 });
  await time.passes(60_000);
  assert.deepEqual([sockets.length, tokensOf(sockets[0]), errors.map(({ code, final }) => [code, final])], [1, ["t0", "t1", "t2"], [["token", false]]]);
});

test("An AUTH that the node has not processed is repeated", async t => {
  const { client, time, sockets, errors } = start(t, { token: "t" }, socket => {
    answerAuth(socket, (_, n) => ["too_many_requests", undefined, alice][n]);
    socket.open();
  });
  client.connect();
  await time.passes(3000);
  assert.equal(tokensOf(sockets[0]).length, 2);
  // The second had no answer: it was over the rate.
  sockets[0].tell("ERROR", { code: "rate_limited", message: "Too fast." });
  await time.passes(60_000);
  assert.deepEqual([tokensOf(sockets[0]), client.user, errors.map(({ code }) => code)], [["t", "t", "t"], "alice", ["rate_limited"]]);
});

test("A node that always says EXPIRING does not make the client hurry", async t => {
  let asked = 0;
  const { client, time } = start(t, { getToken: () => `t${asked++}` }, socket => {
    answerAuth(socket, () => alice);
    const { received } = socket;
    socket.received = message => { received(message); if (message.type === "AUTH") socket.tell("EXPIRING", { in: 0 }); };
    socket.open();
  });
  client.connect();
  await time.passes(10_000);
  assert.ok(asked <= 22, `${asked}`);
});

test("authenticate takes another token in place, and joins what was forbidden before", async t => {
  const { client, time, sockets, errors } = start(t, {}, socket => {
    let user;
    socket.received = ({ type, id, data }) => {
      if (type === "AUTH") socket.tell("AUTHED", { user: user = data.token }, { id });
      else if (user || data.room === "public") socket.tell("JOINED", { room: data.room }, { id });
      else socket.tell("ERROR", { code: "forbidden", message: "No." }, { id });
    };
    socket.open();
  });
  const open = client.join("public"), closed = client.join("members");
  await time.passes(1);
  assert.deepEqual([open.state, closed.state, errors.map(({ code, final, room }) => [code, final, room])], ["joined", "failed", [["forbidden", true, "members"]]]);
  client.authenticate("alice");
  await time.passes(1);
  assert.deepEqual([client.user, open.state, closed.state, sockets.length, errors.length], ["alice", "joined", "joined", 1, 1]);
  assert.throws(() => client.authenticate(), /getToken/);
  assert.throws(() => client.authenticate(""), /token/);
});

test("authenticate takes another user's token on a new connection", async t => {
  const { client, time, sockets } = start(t, { token: "alice" }, socket => {
    answerAuth(socket, (token, n) => n ? "forbidden" : { user: token });
    socket.open();
  });
  client.connect();
  await time.passes(1);
  client.authenticate("bob");
  await time.passes(1);
  assert.deepEqual([sockets.map(tokensOf), client.user, client.state], [[["alice", "bob"], ["bob"]], "bob", "connected"]);
});

test("authenticate during an attempt begins it anew, and a getToken that is overtaken does not count", async t => {
  let give;
  const { client, time, sockets } = start(t, { getToken: () => new Promise(resolve => { give = resolve; }) }, socket => { answerAuth(socket, user => ({ user })); socket.open(); });
  client.connect();
  await time.passes(1);
  client.authenticate("bob");
  give("late");
  await time.passes(1);
  assert.deepEqual([sockets.map(tokensOf), client.user], [[["bob"]], "bob"]);
  sockets[0].end();
  await time.passes(1000);
  assert.deepEqual(sockets.map(tokensOf), [["bob"], ["bob"]]);
});

test("authenticate without a token asks getToken, before the connection has opened too", async t => {
  let asked = 0;
  const { client, time, sockets } = start(t, { getToken: () => `t${asked++}` }, (socket, n) => { answerAuth(socket, user => ({ user })); if (n) socket.open(); });
  client.connect();
  await time.passes(1);
  client.authenticate();
  await time.passes(1);
  assert.deepEqual([sockets.map(tokensOf), client.user], [[[], ["t1"]], "t1"]);
  client.authenticate();
  await time.passes(1);
  assert.deepEqual([sockets.map(tokensOf), client.user], [[[], ["t1", "t2"]], "t2"]);
});

for (const reason of ["forbidden", "removed"]) {
  test(`A room that the node ends with ${reason} fails, and ${reason === "forbidden" ? "a token with more rights joins it again" : "stays failed"}`, async t => {
    const { client, time, sockets, errors } = start(t, { token: "t0" }, socket => { answerAuth(socket, user => ({ user })); socket.open(); });
    const room = client.join("x");
    await time.passes(1);
    sockets[0].tell("LEFT", { room: "x", reason });
    assert.deepEqual([room.state, errors.map(({ code, room, final }) => [code, room, final])], ["failed", [[reason, "x", true]]]);
    for (const [token, state] of [["t0", "failed"], ["t1", reason === "forbidden" ? "joined" : "failed"]]) {
      client.authenticate(token);
      await time.passes(1);
      assert.equal(room.state, state, token);
    }
  });
}

test("A forbidden room waits for rights over reconnects too", async t => {
  const { client, time, sockets, errors } = start(t, { token: "t0" }, socket => {
    answerAuth(socket, user => ({ user }));
    const { received } = socket;
    socket.received = message => {
      if (message.type === "JOIN" && tokensOf(socket).at(-1) === "t0") socket.tell("ERROR", { code: "forbidden", message: "No." }, { id: message.id });
      else received(message);
    };
    socket.open();
  });
  const room = client.join("x");
  await time.passes(1);
  sockets[0].end();
  await time.passes(2000);
  assert.deepEqual([sockets.length, room.state, errors.length], [2, "failed", 1], "the same token is not tried again");
  client.authenticate("t1");
  await time.passes(1);
  assert.equal(room.state, "joined");
});

test("Messages to the user are no broadcasts, and their gaps name the user", async t => {
  const { client, time, sockets, gaps } = start(t, { token: "t" }, socket => { answerAuth(socket, () => alice); socket.open(); });
  const personal = [], messages = [];
  client.on("personal", item => personal.push(item));
  client.on("message", item => messages.push(item));
  client.connect();
  await time.passes(1);
  sockets[0].tell("PUSH", { user: "alice", items: [1, { n: 2 }] });
  sockets[0].tell("PUSH", { items: ["all"] });
  sockets[0].tell("GAP", { user: "alice", missed: 3, reason: "slow" });
  assert.deepEqual([personal, messages], [[1, { n: 2 }], ["all"]]);
  assert.deepEqual(gaps.map(({ user, room, missed }) => [user, room, missed]), [["alice", undefined, 3]]);
});

test("Server-sent events have the token in their URL, and connect anew with the next one", async t => {
  const seen = [], streams = [];
  let asked = 0;
  const url = await httpServer(t, (response, { searchParams }) => {
    seen.push([searchParams.get("token"), searchParams.get("room")]);
    if (seen.length === 1) return response.writeHead(401).end();
    streams.push(response);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write('event: joined\ndata: {"room":"x"}\n\n');
    if (seen.length === 2) response.write('event: expiring\ndata: {"in":0}\n\n');
  });
  const { client, errors } = watched(t, url, { transport: "sse", getToken: () => `t${asked++}` });
  client.join("x");
  await eventually(() => streams.length === 2, "the second stream", () => JSON.stringify(seen));
  assert.deepEqual([seen, errors, client.state === "disconnected"], [[["t0", "x"], ["t1", "x"], ["t2", "x"]], [], false]);
});

test("Server-sent events: 401 without getToken and 403 are final", async t => {
  for (const [status, options] of [[401, { token: "t" }], [403, { getToken: () => "t" }]]) {
    let requests = 0;
    const url = await httpServer(t, response => { requests++; response.writeHead(status).end(); });
    const { client, errors } = watched(t, url, { transport: "sse", ...options });
    client.join("x");
    await eventually(() => errors.length, "the end");
    assert.deepEqual([client.state, errors[0].final, requests], ["disconnected", true, 1], `${status}`);
  }
});

test("No timer is left after disconnect, wherever a renewal stands", async t => {
  const { client, time, sockets } = start(t, { token: "t", getToken: () => new Promise((_, fail) => { failing = fail; }) }, socket => { answerAuth(socket, () => alice); socket.open(); });
  let failing;
  client.connect();
  await time.passes(1);
  sockets[0].tell("EXPIRING", { in: 60 });
  client.disconnect();
  assert.equal(time.pending(), 0);
  client.connect();
  await time.passes(1);
  sockets[1].tell("EXPIRING", { in: 0 });
  await time.passes(1000);
  client.disconnect();
  failing(new Error("late"));
  await time.passes(1);
  assert.equal(time.pending(), 0);

  // By a listener that hears of the failure.
  client.on("error", () => client.disconnect());
  client.connect();
  await time.passes(1);
  sockets[2].tell("EXPIRING", { in: 0 });
  await time.passes(1000);
  failing(new Error("away"));
  await time.passes(1);
  assert.deepEqual([client.state, time.pending()], ["disconnected", 0]);
});
