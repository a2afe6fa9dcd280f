// The simulator's control, and HubSpot's client for an account of its own.

import { randomInt } from "node:crypto";

import { Client } from "@hubspot/api-client";

const base = process.env.HUBSPOT_SIM;

/** Asks the simulator to do something; see hubspot-sim/README.md. */
export async function control(method, what, body) {
  const answer = await fetch(`${base}/_sim/${what}`, { method, body: JSON.stringify(body) });
  if (!answer.ok) {
    throw new Error(`${method} ${what}: ${await answer.text()}`);
  }
  return answer.json();
}

/** A client of a new account. */
export async function newAccount({ retries = 0, limits, owners = [], scopes } = {}) {
  // By chance, for each file of tests is a process of its own.
  const portalId = randomInt(1_000_000_000, 2_000_000_000);
  const token = `pat-na1-00000000-node-0000-0000-00${portalId}`;
  const tokens = [{ token, ...(scopes && { scopes }) }];
  const slug = `node-${portalId}`;
  await control("POST", "portals", { slug, portal_id: portalId, tokens, owners, ...(limits && { limits }) });
  const client = new Client({ accessToken: token, basePath: base, numberOfApiCallRetries: retries });
  return { client, portalId, token, crm: client.crm };
}

/** What a call was refused with: HubSpot's own exception. */
export async function refusal(call) {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error("expected a refusal");
}
