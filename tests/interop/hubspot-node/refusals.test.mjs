// Refusals as HubSpot's own client reads them, and what its retry does about limits.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Client } from "@hubspot/api-client";

import { control, newAccount, refusal } from "./simulator.mjs";

const page = ({ crm }) => crm.contacts.basicApi.getPage(1);

/** Every refusal but 429 has the fields that HubSpot's client declares. */
function isRefusal(error, code, category) {
  assert.equal(error.code, code, String(error));
  assert.equal(error.body.category, category);
  assert.match(error.body.correlationId, /^[0-9a-f-]{36}$/);
  assert.ok(error.body.message);
}

test("401: a token that HubSpot does not know, and one that was revoked", async () => {
  const stranger = new Client({ accessToken: "pat-na1-nobody", basePath: process.env.HUBSPOT_SIM, numberOfApiCallRetries: 0 });
  isRefusal(await refusal(page(stranger)), 401, "INVALID_AUTHENTICATION");
  const account = await newAccount();
  await control("POST", "revocations", { token: account.token });
  isRefusal(await refusal(page(account)), 401, "INVALID_AUTHENTICATION");
});

test("403: the scopes that are missing are named", async () => {
  const error = await refusal(page(await newAccount({ scopes: ["oauth"] })));
  isRefusal(error, 403, "MISSING_SCOPES");
  assert.deepEqual(error.body.errors[0].context.requiredGranularScopes, ["crm.objects.contacts.read"]);
});

test("404: no such record", async () => {
  const { crm } = await newAccount();
  isRefusal(await refusal(crm.contacts.basicApi.getById("999999")), 404, "OBJECT_NOT_FOUND");
  isRefusal(await refusal(crm.deals.basicApi.update("999999", { properties: { amount: "1" } })), 404, "OBJECT_NOT_FOUND");
});

test("409: the contact exists, and its id is named", async () => {
  const { basicApi } = (await newAccount()).crm.contacts;
  const contact = { properties: { email: "a@node.example" }, associations: [] };
  const { id } = await basicApi.create(contact);
  const error = await refusal(basicApi.create(contact));
  isRefusal(error, 409, "CONFLICT");
  assert.match(error.body.message, new RegExp(`Existing ID: ${id}$`));
});

test("400: a property that does not exist is named", async () => {
  const { basicApi } = (await newAccount()).crm.contacts;
  const error = await refusal(basicApi.create({ properties: { email: "a@node.example", shoe: "42" }, associations: [] }));
  isRefusal(error, 400, "VALIDATION_ERROR");
  assert.equal(error.body.errors[0].code, "PROPERTY_DOESNT_EXIST");
});

test("429: which limit was reached, and the headers of it", async () => {
  const account = await newAccount({ limits: { burst: 1 } });
  await page(account);
  const error = await refusal(page(account));
  assert.equal(error.code, 429);
  assert.equal(error.body.errorType, "RATE_LIMIT");
  assert.equal(error.body.policyName, "TEN_SECONDLY_ROLLING");
  assert.equal(error.headers["x-hubspot-ratelimit-max"], "1");
  assert.equal(error.headers["x-hubspot-ratelimit-remaining"], "0");
});

test("429: the client's retry waits for the end of the burst, ten seconds as it thinks, and then succeeds", async (t) => {
  const account = await newAccount({ retries: 3, limits: { burst: 1 } });
  const realTimeout = globalThis.setTimeout;
  const waits = [];
  // The simulator's time is moved on instead of waiting.
  t.mock.method(globalThis, "setTimeout", (run, ms, ...rest) => {
    if (ms !== 10_000) {
      return realTimeout(run, ms, ...rest);
    }
    waits.push(ms);
    return control("POST", "time", { ms }).then(run);
  });
  await page(account);
  assert.deepEqual((await page(account)).results, []);
  assert.deepEqual(waits, [10_000]);
});

test("429: the client's retry waits for the next second of search, and then succeeds", async () => {
  const { crm } = await newAccount({ retries: 3, limits: { search_per_second: 1 } });
  const search = () => crm.contacts.searchApi.doSearch({ limit: 1 });
  await search();
  const start = performance.now();
  assert.equal((await search()).total, 0);
  assert.ok(performance.now() - start >= 900, "it was not made to wait");
});

test("429: the client does not retry when the day is over", async () => {
  const account = await newAccount({ retries: 3, limits: { daily: 1 } });
  await page(account);
  const start = performance.now();
  const error = await refusal(page(account));
  assert.equal(error.body.policyName, "DAILY");
  assert.ok(performance.now() - start < 900, "it tried again");
});

test("5xx: the client's retry tries again", async () => {
  const account = await newAccount({ retries: 3 });
  await control("POST", "faults", { fault: "status", status: 503, portal_id: account.portalId, times: 1 });
  assert.deepEqual((await page(account)).results, []);
});
