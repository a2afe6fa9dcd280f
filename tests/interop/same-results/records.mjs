// Records, one by one and many at once, by HubSpot's own client and through Hubkeep.

import assert from "node:assert/strict";
import { test } from "node:test";

import { behind, byId, hubspot, objects, refusal, same, toldByHubkeep, toldByHubspot, values } from "./sides.mjs";

const TYPES = {
  contacts: { shown: "firstname", make: (n) => ({ email: `n${n}@node.example`, firstname: `N${n}` }) },
  companies: { shown: "name", make: (n) => ({ name: `N${n}`, domain: `n${n}.example` }) },
  deals: { shown: "dealname", make: (n) => ({ dealname: `N${n}`, dealstage: "appointmentscheduled", pipeline: "default", amount: "10" }) },
  tickets: { shown: "subject", make: (n) => ({ subject: `N${n}`, hs_pipeline: "0", hs_pipeline_stage: "1" }) },
};
/** What the flows of a type have made, by each side. */
const made = { hubspot: {}, hubkeep: {} };

for (const [object_type, { shown, make }] of Object.entries(TYPES)) {
  const { basicApi, batchApi } = hubspot[object_type];
  const get = async (object_id, message) => toldByHubkeep((await objects.ask("GetObject", { object_type, object_id, ...message })).object);

  same(
    `${object_type}: created`,
    async () => {
      const one = await basicApi.create({ properties: make(1), associations: [] });
      made.hubspot[object_type] = one.id;
      return toldByHubspot(one);
    },
    async () => {
      const { object } = await objects.ask("CreateObject", { object_type, properties: make(1) });
      made.hubkeep[object_type] = object.object_id;
      return toldByHubkeep(object);
    },
  );
  same(
    `${object_type}: read, as HubSpot shows it and with what is wanted`,
    async () => {
      const id = made.hubspot[object_type];
      return [toldByHubspot(await basicApi.getById(id)), toldByHubspot(await basicApi.getById(id, [shown, "hs_object_id"]))];
    },
    async () => {
      const id = made.hubkeep[object_type];
      return [await get(id), await get(id, { properties: [shown, "hs_object_id"] })];
    },
  );
  same(
    `${object_type}: changed, and a value cleared`,
    async () => {
      const change = (properties) => basicApi.update(made.hubspot[object_type], { properties });
      return [await change({ [shown]: "changed" }), await change({ [shown]: "again", hubspot_owner_id: "" })].map(toldByHubspot);
    },
    async () => {
      const change = (properties) => objects.ask("UpdateObject", { object_type, object_id: made.hubkeep[object_type], properties });
      return [await change({ [shown]: "changed" }), await change({ [shown]: "again", hubspot_owner_id: "" })].map(({ object }) =>
        toldByHubkeep(object),
      );
    },
  );
  same(
    `${object_type}: the history of a property`,
    async () => toldByHubspot(await basicApi.getById(made.hubspot[object_type], [shown], [shown])),
    async () => get(made.hubkeep[object_type], { properties: [shown], history_properties: [shown] }),
  );
  same(
    `${object_type}: many created, read, changed and archived at once`,
    async () => {
      const inputs = [2, 3, 4, 5, 6].map((n) => ({ properties: make(n), associations: [] }));
      const created = await batchApi.create({ inputs });
      const ids = byId(created.results).map(({ id }) => id);
      const wanted = { properties: [shown], propertiesWithHistory: [] };
      const read = await batchApi.read({ inputs: [...ids.map((id) => ({ id })), { id: "99999999" }], ...wanted });
      const changed = await batchApi.update({ inputs: ids.map((id) => ({ id, properties: { [shown]: `changed ${id}` } })) });
      await batchApi.archive({ inputs: [{ id: ids[0] }] });
      return [
        byId(created.results.map(toldByHubspot)),
        byId(read.results.map(toldByHubspot)),
        read.errors[0].context.ids,
        byId(changed.results.map(toldByHubspot)),
        await refusal(basicApi.getById(ids[0])),
      ];
    },
    async () => {
      const rows = ({ results }) => byId(results.flatMap(({ object }) => (object ? [toldByHubkeep(object)] : [])));
      const inputs = [2, 3, 4, 5, 6].map((n) => ({ properties: make(n) }));
      const created = rows(await objects.ask("BatchCreateObjects", { object_type, inputs }));
      const ids = created.map(({ id }) => id);
      const object_ids = [...ids, "99999999"];
      const read = await objects.ask("BatchReadObjects", { object_type, object_ids, properties: [shown] });
      const missing = object_ids.filter((_, at) => read.results[at].error?.reason === "ERROR_REASON_OBJECT_NOT_FOUND");
      const changes = ids.map((object_id) => ({ object_id, properties: { [shown]: `changed ${object_id}` } }));
      const changed = rows(await objects.ask("BatchUpdateObjects", { object_type, inputs: changes }));
      await objects.ask("BatchArchiveObjects", { object_type, object_ids: [ids[0]] });
      return [created, rows(read), missing, changed, await refusal(get(ids[0]))];
    },
  );
  same(
    `${object_type}: listed page by page, and walked`,
    async () => {
      const pages = [];
      let after;
      do {
        const page = await basicApi.getPage(2, after, [shown]);
        pages.push(page.results.map(toldByHubspot));
        after = page.paging?.next?.after;
      } while (after);
      return { pages, walked: (await hubspot[object_type].getAll(100, undefined, [shown])).map(toldByHubspot) };
    },
    async () => {
      const pages = [];
      let page_token = "";
      do {
        const page = await objects.ask("ListObjects", { object_type, properties: [shown], page_size: 2, page_token });
        pages.push(page.objects.map(toldByHubkeep));
        page_token = page.next_page_token;
      } while (page_token);
      const walked = await objects.walk("StreamObjects", { object_type, properties: [shown] });
      return { pages, walked: walked.flatMap((page) => page.objects).map(toldByHubkeep) };
    },
  );
  same(
    `${object_type}: archived, not found any more, and found among the archived`,
    async () => {
      const id = made.hubspot[object_type];
      await basicApi.archive(id);
      const archived = await basicApi.getById(id, [shown], undefined, undefined, true);
      return [await refusal(basicApi.getById(id)), toldByHubspot(archived)];
    },
    async () => {
      const id = made.hubkeep[object_type];
      await objects.ask("ArchiveObject", { object_type, object_id: id });
      return [await refusal(get(id)), await get(id, { properties: [shown], archived: true })];
    },
  );
  same(
    `${object_type}: refused alike`,
    async () => [
      await refusal(basicApi.getById("99999999")),
      await refusal(basicApi.update("99999999", { properties: { [shown]: "x" } })),
      await refusal(basicApi.create({ properties: { ...make(9), no_such_property: "x" }, associations: [] })),
    ],
    async () => [
      await refusal(get("99999999")),
      await refusal(objects.ask("UpdateObject", { object_type, object_id: "99999999", properties: { [shown]: "x" } })),
      await refusal(objects.ask("CreateObject", { object_type, properties: { ...make(9), no_such_property: "x" } })),
    ],
  );
}

const contacts = { object_type: "contacts" };

same(
  "a contact by its address, upserted, and refused twice",
  async () => {
    const { basicApi, batchApi } = hubspot.contacts;
    const inputs = ["u1@node.example", "n2@node.example", "n3@node.example"].map((id) => ({
      id,
      idProperty: "email",
      properties: { email: id, lastname: "Upserted" },
    }));
    const upserted = await batchApi.upsert({ inputs });
    const found = await basicApi.getById("N3@node.example", ["email", "lastname"], undefined, undefined, false, "email");
    const changed = await basicApi.update("n3@node.example", { properties: { phone: "1" } }, "email");
    return [
      byId(upserted.results).map((row) => [row._new, values(row.properties).lastname]),
      toldByHubspot(found),
      changed.id,
      await refusal(basicApi.create({ properties: { email: "n3@node.example" }, associations: [] })),
    ];
  },
  async () => {
    const inputs = ["u1@node.example", "n2@node.example", "n3@node.example"].map((object_id) => ({
      object_id,
      properties: { email: object_id, lastname: "Upserted" },
    }));
    const upserted = await objects.ask("UpsertObjects", { ...contacts, id_property: "email", inputs });
    const rows = byId(upserted.results.map(({ object, created }) => ({ id: object.object_id, created, object })));
    const by = { ...contacts, id_property: "email" };
    const found = await objects.ask("GetObject", { ...by, object_id: "N3@node.example", properties: ["email", "lastname"] });
    const changed = await objects.ask("UpdateObject", { ...by, object_id: "n3@node.example", properties: { phone: "1" } });
    return [
      rows.map(({ created, object }) => [created, values(object.properties).lastname]),
      toldByHubkeep(found.object),
      changed.object.object_id,
      await refusal(objects.ask("CreateObject", { ...contacts, properties: { email: "n3@node.example" } })),
    ];
  },
);

same(
  "two contacts made one",
  async () => toldByHubspot(await hubspot.contacts.basicApi.merge({ primaryObjectId: "102", objectIdToMerge: "103" })),
  async () => {
    const merged = await objects.ask("MergeObjects", { ...contacts, primary_object_id: "102", merged_object_id: "103" });
    return toldByHubkeep(merged.object);
  },
);

same(
  "a contact erased for good",
  async () => {
    await hubspot.contacts.basicApi.purge({ objectId: "104" });
    return refusal(hubspot.contacts.basicApi.getById("104"));
  },
  async () => {
    await objects.ask("EraseContact", { object_id: "104" });
    return refusal(objects.ask("GetObject", { ...contacts, object_id: "104" }));
  },
);

test("in the end both accounts hold the same", async () => {
  for (const object_type of Object.keys(TYPES)) {
    const all = async (crm) => {
      const names = (await hubspot.properties.coreApi.getAll(object_type)).results.map(({ name }) => name);
      const records = [];
      for (const archived of [false, true]) {
        const some = await crm[object_type].getAll(100, undefined, names, undefined, undefined, archived);
        records.push(...some.map(toldByHubspot));
      }
      return records;
    };
    const expected = await all(hubspot);
    assert.ok(expected.length > 4, object_type);
    assert.deepEqual(await all(behind), expected, object_type);
  }
});
