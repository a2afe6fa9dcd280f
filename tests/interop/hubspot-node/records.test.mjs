// Contacts, companies and deals by HubSpot's own client.

import assert from "node:assert/strict";
import { test } from "node:test";

import { newAccount, refusal } from "./simulator.mjs";

const types = {
  contacts: { api: "contacts", shown: "firstname", make: (n) => ({ email: `n${n}@node.example`, firstname: `N${n}` }) },
  companies: { api: "companies", shown: "name", make: (n) => ({ name: `N${n}`, domain: `n${n}.example` }) },
  deals: {
    api: "deals",
    shown: "dealname",
    make: (n) => ({ dealname: `N${n}`, dealstage: "appointmentscheduled", pipeline: "default", amount: "10" }),
  },
};

for (const [type, { api, shown, make }] of Object.entries(types)) {
  test(`${type} are created, read, changed and archived`, async () => {
    const { basicApi } = (await newAccount()).crm[api];
    const created = await basicApi.create({ properties: make(1), associations: [] });
    assert.match(created.id, /^\d+$/);
    assert.ok(created.createdAt instanceof Date && !Number.isNaN(created.createdAt.getTime()));
    assert.equal(created.archived, false);
    assert.equal(created.properties.hs_object_id, created.id);

    const read = await basicApi.getById(created.id, [shown]);
    assert.equal(read.properties[shown], "N1");

    const changed = await basicApi.update(created.id, { properties: { [shown]: "N1 changed" } });
    assert.equal(changed.properties[shown], "N1 changed");
    assert.ok(changed.updatedAt >= created.updatedAt);

    await basicApi.archive(created.id);
    assert.equal((await refusal(basicApi.getById(created.id))).code, 404);
    const archived = await basicApi.getById(created.id, [shown], undefined, undefined, true);
    assert.equal(archived.archived, true);
    assert.ok(archived.archivedAt instanceof Date);
  });

  test(`${type} are listed page by page, each once`, async () => {
    const account = await newAccount();
    const { basicApi, batchApi } = account.crm[api];
    const made = await batchApi.create({ inputs: [1, 2, 3, 4, 5].map((n) => ({ properties: make(n), associations: [] })) });
    assert.equal(made.status, "COMPLETE");

    const seen = [];
    let after;
    do {
      const page = await basicApi.getPage(2, after, [shown]);
      seen.push(...page.results.map((record) => record.id));
      after = page.paging?.next?.after;
    } while (after);
    assert.deepEqual(seen.sort(), made.results.map((record) => record.id).sort());
    assert.equal((await account.crm[api].getAll(2)).length, 5, "the client's own walk");
  });

  test(`${type} are read many at once, and those not found are told`, async () => {
    const { batchApi } = (await newAccount()).crm[api];
    const made = await batchApi.create({ inputs: [1, 2].map((n) => ({ properties: make(n), associations: [] })) });
    const ids = made.results.map(({ id }) => ({ id }));
    const wanted = { properties: [shown], propertiesWithHistory: [] };

    const all = await batchApi.read({ inputs: ids, ...wanted });
    assert.equal(all.status, "COMPLETE");
    assert.ok(all.completedAt instanceof Date);
    assert.deepEqual(all.results.map((record) => record.properties[shown]).sort(), ["N1", "N2"]);

    const some = await batchApi.read({ inputs: [...ids, { id: "99999999" }], ...wanted });
    assert.equal(some.results.length, 2);
    assert.equal(some.numErrors, 1);
    assert.equal(some.errors[0].category, "OBJECT_NOT_FOUND");
    assert.deepEqual(some.errors[0].context.ids, ["99999999"]);
  });
}

test("a contact is found by its e-mail address", async () => {
  const { basicApi } = (await newAccount()).crm.contacts;
  const { id } = await basicApi.create({ properties: { email: "Ada+1@node.example" }, associations: [] });
  const found = await basicApi.getById("ada+1@node.example", ["email"], undefined, undefined, false, "email");
  assert.equal(found.id, id);
  const changed = await basicApi.update("ada+1@node.example", { properties: { firstname: "Ada" } }, "email");
  assert.equal(changed.id, id);
});

test("the history of a property is read", async () => {
  const { basicApi } = (await newAccount()).crm.contacts;
  const { id } = await basicApi.create({ properties: { email: "a@node.example", firstname: "A" }, associations: [] });
  await basicApi.update(id, { properties: { firstname: "B" } });
  const { propertiesWithHistory } = await basicApi.getById(id, undefined, ["firstname"]);
  assert.deepEqual(propertiesWithHistory.firstname.map(({ value }) => value), ["B", "A"]);
  assert.ok(propertiesWithHistory.firstname[0].timestamp instanceof Date);
});

test("the client's plain request reaches the dated paths", async () => {
  const { client } = await newAccount();
  const properties = { email: "a@node.example" };
  const created = await client.apiRequest({ method: "POST", path: "/crm/objects/2026-09/contacts", body: { properties } });
  assert.equal(created.status, 201);
  const { id } = await created.json();
  const read = await client.apiRequest({ path: `/crm/objects/2026-09/contacts/${id}`, qs: { properties: "email" } });
  assert.equal((await read.json()).properties.email, "a@node.example");
});
