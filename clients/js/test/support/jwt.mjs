// Tokens as an application makes them.
import { createHmac } from "node:crypto";

export const secret = "a secret of the tests, of 32 bytes and more";

/** Settings of a farm that accepts them. */
export const auth = mode => ({ "Push:Auth:Mode": mode, "Push:Auth:Keys:0:Algorithm": "HS256", "Push:Auth:Keys:0:Secret": secret, "Push:Auth:ClockSkew": "00:00:00" });

/** A token that ends in some seconds. */
export function token(claims, seconds = 600, key = secret) {
  const part = value => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ exp: Math.floor(Date.now() / 1000) + seconds, ...claims })}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}
