// Owners by HubSpot's own client.

import assert from "node:assert/strict";
import { test } from "node:test";

import { newAccount, refusal } from "./simulator.mjs";

const owners = [1, 2, 3].map((n) => ({
  id: 500 + n,
  userId: 900 + n,
  email: `o${n}@node.example`,
  firstName: `O${n}`,
  lastName: "Owner",
  archived: n === 3,
}));

test("owners are listed, page by page and by e-mail address", async () => {
  const { ownersApi } = (await newAccount({ owners })).crm.owners;
  const first = await ownersApi.getPage(undefined, undefined, 1);
  assert.deepEqual(first.results.map(({ id }) => id), ["501"]);
  assert.ok(first.results[0].createdAt instanceof Date);
  const second = await ownersApi.getPage(undefined, first.paging.next.after, 1);
  assert.deepEqual(second.results.map(({ id }) => id), ["502"]);
  assert.equal(second.paging, undefined);
  const one = await ownersApi.getPage("o2@node.example");
  assert.deepEqual(one.results.map(({ userId, type }) => [userId, type]), [[902, "PERSON"]]);
});

test("an owner is read by its id, by its user's id, and when it is archived", async () => {
  const { ownersApi } = (await newAccount({ owners })).crm.owners;
  assert.equal((await ownersApi.getById(501)).email, "o1@node.example");
  assert.equal((await ownersApi.getById(901, "userId")).id, "501");
  const gone = await ownersApi.getById(503, "id", true);
  assert.equal(gone.archived, true);
  assert.equal(gone.userIdIncludingInactive, 903);
  assert.equal((await refusal(ownersApi.getById(503))).code, 404);
});
