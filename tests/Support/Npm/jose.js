// Tokens of npm's jose, as one JSON object on standard output: {"keySet": {...}, "tokens": {algorithm: token}, "refused": [token]}.
import { EncryptJWT, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";

const secret = "a-secret-of-thirty-two-bytes-min";
const bytes = text => new TextEncoder().encode(text);
const make = () => new SignJWT({ join: ["*"], info: { name: "Alice" } })
  .setSubject("alice").setIssuer("https://login.example.com").setAudience(["shop", "push"]).setIssuedAt().setNotBefore("0s").setExpirationTime("10m");

const keySet = { keys: [] };
const tokens = {
  HS256: await make().setProtectedHeader({ alg: "HS256" }).sign(bytes(secret)),
  HS384: await make().setProtectedHeader({ alg: "HS384" }).sign(bytes(secret + secret)),
  HS512: await make().setProtectedHeader({ alg: "HS512" }).sign(bytes(secret + secret)),
};
const refused = [
  new UnsecuredJWT({ join: ["*"] }).setExpirationTime("10m").encode(),
  await new EncryptJWT({ join: ["*"] }).setExpirationTime("10m").setProtectedHeader({ alg: "dir", enc: "A256GCM" }).encrypt(bytes(secret)),
  await make().setProtectedHeader({ alg: "HS256" }).setAudience("shop").sign(bytes(secret)),
  await make().setProtectedHeader({ alg: "HS256" }).setExpirationTime("-10m").sign(bytes(secret)),
];
for (const alg of ["RS256", "PS256", "ES256", "EdDSA", "ES384"]) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  keySet.keys.push({ ...await exportJWK(publicKey), kid: alg, alg, use: "sig" });
  const token = await make().setProtectedHeader({ alg, kid: alg }).sign(privateKey);
  if (alg === "EdDSA" || alg === "ES384") refused.push(token);
  else tokens[alg] = token;
}
console.log(JSON.stringify({ keySet, tokens, refused }));
