// An example client of Hubkeep: takes a handle, reads contacts with it, walks through all of them, sees what is left of
// the portal's quota, is refused another client's data, and finds its own call on the audit log.
//
//   npm start -- acme globex

import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Client, createClient } from "@connectrpc/connect";

import { AuditService } from "../gen/hubkeep/audit/v1/audit_service_pb.js";
import { Operation, Phase, Result } from "../gen/hubkeep/audit/v1/entry_pb.js";
import { HandleOperation, HandleService } from "../gen/hubkeep/credential/v1/handle_service_pb.js";
import { ObjectService } from "../gen/hubkeep/crm/v1/object_service_pb.js";
import { QuotaService } from "../gen/hubkeep/crm/v1/quota_service_pb.js";
import type { Reply } from "../gen/hubkeep/crm/v1/reply_pb.js";
import { dial, setting, showing } from "./connection.js";
import { asRefusal, told } from "./refusal.js";

// How long a call may take, in milliseconds. The services see it as the call's deadline.
const timeoutMs = 20_000;

async function main(client = "acme", other = "globex"): Promise<void> {
  const toCredentialService = dial(setting("HUBKEEP_CREDENTIAL_SERVICE", "http://127.0.0.1:7401"));
  const toCrmService = dial(setting("HUBKEEP_CRM_SERVICE", "http://127.0.0.1:7402"));
  const objects = createClient(ObjectService, toCrmService);

  const handle = await issue(createClient(HandleService, toCredentialService), client);
  const reply = await list(objects, handle, client);
  await walk(objects, handle, client);
  await showQuota(createClient(QuotaService, toCrmService), handle, client);
  await beRefused(objects, handle, other);
  await follow(createClient(AuditService, toCrmService), handle, reply);
}

/** Takes a handle: for one portal, a few minutes, and no more than what is named here. */
async function issue(handles: Client<typeof HandleService>, client: string): Promise<string> {
  const { handle, description } = await handles.issueHandle(
    {
      clientSlug: client,
      scope: {
        operations: [HandleOperation.LIST, HandleOperation.QUOTA, HandleOperation.READ_AUDIT],
        objectTypes: ["contacts"],
      },
      purposeCode: "example",
    },
    { timeoutMs },
  );
  if (!description?.expireTime) {
    throw new Error("credential-service did not describe the handle");
  }
  const { handleId, caller, portalId, expireTime } = description;
  console.log(`handle ${handleId} of ${caller} for portal ${portalId}, until ${timestampDate(expireTime).toISOString()}`);
  return handle;
}

/** Reads two contacts, and gives what the service says about the call. */
async function list(objects: Client<typeof ObjectService>, handle: string, client: string): Promise<Reply> {
  const page = await objects.listObjects(
    { clientSlug: client, objectType: "contacts", properties: ["email", "firstname"], pageSize: 2 },
    { headers: showing(handle), timeoutMs },
  );
  for (const { objectId, properties } of page.objects) {
    console.log(`contact ${objectId} ${properties["email"] ?? ""}`);
  }
  if (!page.reply) {
    throw new Error("crm-service did not say anything about the call");
  }
  console.log(`call ${page.reply.callId}, durable at ${page.reply.auditPosition}`);
  return page.reply;
}

/** Counts all contacts. After a break, a new request with the last resume token goes on. */
async function walk(objects: Client<typeof ObjectService>, handle: string, client: string): Promise<void> {
  const pages = objects.streamObjects(
    { clientSlug: client, objectType: "contacts" },
    { headers: showing(handle), signal: AbortSignal.timeout(timeoutMs) },
  );
  let count = 0;
  for await (const page of pages) {
    count += page.objects.length;
  }
  console.log(`walked ${count}`);
}

/** Shows how many calls the portal may still make now. */
async function showQuota(quotas: Client<typeof QuotaService>, handle: string, client: string): Promise<void> {
  const { quota } = await quotas.getQuota({ clientSlug: client }, { headers: showing(handle), timeoutMs });
  console.log(`left ${quota?.burst?.left} now, ${quota?.daily?.left} today`);
}

/** Asks for another client's contacts with a handle that is not for them. */
async function beRefused(objects: Client<typeof ObjectService>, handle: string, other: string): Promise<void> {
  try {
    await objects.listObjects({ clientSlug: other, objectType: "contacts" }, { headers: showing(handle), timeoutMs });
  } catch (error) {
    const refusal = asRefusal(error);
    if (!refusal) {
      throw error;
    }
    console.log(`refused: ${told(refusal)}`);
    return;
  }
  throw new Error(`expected to be refused the contacts of ${other}`);
}

/**
 * Reads the audit log until it shows how the call ended. One call's entries are found by an index, so beginning at 0
 * costs nothing; who follows everything goes on after the last position seen.
 */
async function follow(log: Client<typeof AuditService>, handle: string, reply: Reply): Promise<void> {
  // A signal rather than `timeoutMs`, whose timer would outlive the loop and keep the process up.
  const hangUp = new AbortController();
  const signal = AbortSignal.any([hangUp.signal, AbortSignal.timeout(timeoutMs)]);
  const messages = log.streamEvents(
    { afterPosition: 0n, filter: { clientSlug: reply.clientSlug, callId: reply.callId } },
    { headers: showing(handle), signal },
  );
  for await (const { message } of messages) {
    if (message.case !== "event" || !message.value.entry) {
      continue; // Nothing more up to `reachedPosition`, so far.
    }
    const { position, entry } = message.value;
    console.log(`audit ${position} ${Phase[entry.phase]} ${Operation[entry.operation]} ${Result[entry.result]}`);
    if (entry.phase === Phase.OUTCOME) {
      break;
    }
  }
  // Leaving the loop does not end the stream.
  hangUp.abort();
}

try {
  await main(...process.argv.slice(2, 4));
} catch (error) {
  const refusal = asRefusal(error);
  console.error(refusal ? told(refusal) : error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
