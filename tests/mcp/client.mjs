// The official TypeScript client, unchanged, from its first 401 to tools that are called: it finds the authorization server, registers,
// sends its user to the consent page (which this script reads and answers as a browser would), and comes back with a code.

import assert from "node:assert/strict";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";

const { HUBKEEP, SESSION } = process.env;
const issuer = new URL(HUBKEEP).origin;

/** Keeps what a client keeps, in memory, and follows where its user would be sent. */
class Person {
  redirectUrl = "http://localhost:8787/callback";
  clientMetadata = { client_name: "The TypeScript SDK", redirect_uris: [this.redirectUrl], token_endpoint_auth_method: "none" };
  kept = {};
  state() { return "a state"; }
  clientInformation() { return this.kept.client; }
  saveClientInformation(client) { this.kept.client = client; }
  tokens() { return this.kept.tokens; }
  saveTokens(tokens) { this.kept.tokens = tokens; }
  codeVerifier() { return this.kept.verifier; }
  saveCodeVerifier(verifier) { this.kept.verifier = verifier; }
  redirectToAuthorization(url) { this.kept.url = url; }
}

const cookies = (answer) => answer.headers.getSetCookie().map((line) => line.split(";")[0]).filter((pair) => !pair.endsWith("="));

/** What a browser does with the consent page, and after it. */
async function consent(url) {
  assert.equal(url.searchParams.get("code_challenge_method"), "S256");
  assert.equal(url.searchParams.get("resource"), HUBKEEP);
  const page = await fetch(url, { redirect: "manual" });
  assert.equal(page.status, 200, await page.clone().text());
  const text = await page.text();
  assert.match(text, /The TypeScript SDK/);
  const form = new URLSearchParams();
  for (const [, name, value] of text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)) {
    form.append(name, value.replaceAll("&amp;", "&").replaceAll("&quot;", '"'));
  }
  form.append("decision", "allow");
  const said = await fetch(`${issuer}/oauth/consent`, {
    method: "POST", body: form, redirect: "manual", headers: { cookie: cookies(page).join("; "), origin: issuer },
  });
  assert.equal(said.status, 200, await said.clone().text());
  const held = [...cookies(said), `__Host-hubkeep-session=${SESSION}`].join("; ");
  const back = await fetch(`${issuer}/oauth/continue`, { redirect: "manual", headers: { cookie: held } });
  const to = new URL(back.headers.get("location"));
  assert.equal(to.searchParams.get("iss"), issuer);
  assert.equal(to.searchParams.get("state"), "a state");
  return to.searchParams.get("code");
}

const person = new Person();
const transport = () => new StreamableHTTPClientTransport(new URL(HUBKEEP), { authProvider: person });
const first = transport();
await assert.rejects(() => new Client({ name: "proof", version: "1" }).connect(first), UnauthorizedError);
assert.match(person.kept.client.client_id, /^hkc_/);
await first.finishAuth(await consent(person.kept.url));

const client = new Client({ name: "proof", version: "1" });
await client.connect(transport());
const { tools } = await client.listTools();
assert.equal(tools.length, 16);
assert.equal(client.getServerVersion().name, "hubkeep");
const status = await client.callTool({ name: "hubspot_status", arguments: {} });
assert.equal(status.isError ?? false, false, JSON.stringify(status));
assert.equal(status.structuredContent.connections.length, 1);
const missing = await client.callTool({ name: "hubspot_get_contact", arguments: {} });
assert.equal(missing.isError, true);
assert.match(missing.content[0].text, /^(INVALID_FIELD|HANDLE_INVALID)/);
await client.close();
console.log("the TypeScript client: signed in, listed and called");
