// The same account twice: one is asked by HubSpot's own client, the other through Hubkeep, and what both tell is put into one
// form. Times are what they are, and are left at that.

import assert from "node:assert/strict";
import { test } from "node:test";

import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import { Client } from "@hubspot/api-client";

const { HUBSPOT_SIM, HUBSPOT_TOKEN, HUBKEEP_CRM_SERVICE, HUBKEEP_HANDLE, HUBKEEP_AS, HUBKEEP_CLIENT, INTEROP } = process.env;
/** How long a call may take, in milliseconds. */
const PATIENCE = 20_000;

/** HubSpot's own client of this account. */
const clientOf = (accessToken) => new Client({ accessToken, basePath: HUBSPOT_SIM, numberOfApiCallRetries: 0 }).crm;
export const hubspot = clientOf(HUBSPOT_TOKEN);
/** The same of the account behind Hubkeep: to see what has become of it, not to change it. */
export const behind = clientOf(process.env.HUBSPOT_TOKEN_BEHIND);

const services = ["object", "association", "schema", "owner"].map((name) => `hubkeep/crm/v1/${name}_service.proto`);
const definition = loader.loadSync(services, {
  includeDirs: [`${INTEROP}/proto`],
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
});
const { ObjectService, AssociationService, SchemaService, OwnerService } = grpc.loadPackageDefinition(definition).hubkeep.crm.v1;
const address = new URL(HUBKEEP_CRM_SERVICE).host;
const metadata = new grpc.Metadata();
metadata.set("authorization", `Bearer ${HUBKEEP_HANDLE}`);
metadata.set("hubkeep-caller", HUBKEEP_AS);

/** A service whose methods take a message and promise an answer. */
function stub(Service) {
  const client = new Service(address, grpc.credentials.createInsecure());
  const options = () => ({ deadline: Date.now() + PATIENCE });
  const named = (message) => ({ client_slug: HUBKEEP_CLIENT, ...message });
  return {
    ask: (method, message) =>
      new Promise((resolve, reject) => {
        const answered = (error, answer) => (error ? reject(error) : resolve(answer));
        client[method](named(message), metadata, options(), answered);
      }),
    /** Every message of a stream. */
    walk: async (method, message) => {
      const messages = [];
      for await (const one of client[method](named(message), metadata, options())) {
        messages.push(one);
      }
      return messages;
    },
  };
}

export const objects = stub(ObjectService);
export const associations = stub(AssociationService);
export const schemas = stub(SchemaService);
export const owners = stub(OwnerService);

const isTime = (value) => /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value);

/** The values that a record has: HubSpot shows those that it has not as null. */
export function values(properties) {
  const has = Object.entries(properties ?? {}).filter(([, value]) => value !== null && value !== "");
  return Object.fromEntries(has.map(([name, value]) => [name, isTime(value) ? "a time" : value]));
}

const past = (list, value) => list.map((one) => ({ value: one.value, by: value(one) }));
const mapped = (map, change) => Object.fromEntries(Object.entries(map ?? {}).map(([key, value]) => [key, change(value)]));

/** A record as HubSpot's client gives it. */
export const toldByHubspot = (record) => ({
  id: record.id,
  archived: record.archived ?? false,
  properties: values(record.properties),
  created: Boolean(record.createdAt),
  updated: Boolean(record.updatedAt),
  history: mapped(record.propertiesWithHistory, (list) => past(list, (one) => one.sourceType)),
  // HubSpot tells each of several ways to belong together; Hubkeep tells each record once.
  associated: mapped(record.associations, ({ results }) => [...new Set(results.map(({ id }) => id))].sort()),
});

/** The same as Hubkeep gives it. */
export const toldByHubkeep = (record) => ({
  id: record.object_id,
  archived: record.archived,
  properties: values(record.properties),
  created: Boolean(record.create_time),
  updated: Boolean(record.update_time),
  history: mapped(record.history, ({ values: list }) => past(list, (one) => one.source_type)),
  associated: mapped(record.associations, ({ object_ids: ids }) => [...ids].sort()),
});

export const byId = (records) => records.toSorted((one, other) => Number(one.id) - Number(other.id));

const REFUSED = {
  400: "invalid",
  404: "not found",
  409: "it exists",
  [grpc.status.INVALID_ARGUMENT]: "invalid",
  [grpc.status.NOT_FOUND]: "not found",
  [grpc.status.ALREADY_EXISTS]: "it exists",
};

/** What a call was refused with, in a word of both. */
export async function refusal(call) {
  try {
    await call;
  } catch (error) {
    const word = REFUSED[error.code];
    if (word === undefined) {
      throw error;
    }
    return word;
  }
  throw new Error("expected a refusal");
}

/** A flow, once by each; both must tell the same. */
export function same(name, byHubspot, byHubkeep) {
  test(name, async () => {
    const told = await byHubspot();
    const heard = await byHubkeep();
    assert.notDeepEqual(told, undefined, "a flow tells something");
    assert.deepEqual(heard, told);
  });
}
