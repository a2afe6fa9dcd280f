// Search by HubSpot's own client.

import assert from "node:assert/strict";
import { test } from "node:test";

import { newAccount, refusal } from "./simulator.mjs";

const unhurried = { burst: 1_000, search_per_second: 1_000 };

async function withContacts() {
  const account = await newAccount({ limits: unhurried });
  const properties = [1, 2, 3, 4, 5].map((n) => ({
    email: `n${n}@${n % 2 ? "odd" : "even"}.example`,
    firstname: `N${n}`,
    lifecyclestage: n < 4 ? "lead" : "customer",
  }));
  await account.crm.contacts.batchApi.create({ inputs: properties.map((one) => ({ properties: one, associations: [] })) });
  return account.crm.contacts.searchApi;
}

const found = ({ results }) => results.map(({ properties }) => properties.firstname);
const where = (...filters) => ({ filterGroups: [{ filters }], properties: ["firstname"], limit: 100, sorts: ["firstname"] });
const by = (propertyName, operator, value) => ({ propertyName, operator, ...value });

test("filters of every kind find what they should", async () => {
  const api = await withContacts();
  const hour = 3_600_000;
  const cases = [
    [by("firstname", "EQ", { value: "N2" }), ["N2"]],
    [by("firstname", "NEQ", { value: "N2" }), ["N1", "N3", "N4", "N5"]],
    [by("lifecyclestage", "IN", { values: ["customer", "other"] }), ["N4", "N5"]],
    [by("lifecyclestage", "NOT_IN", { values: ["customer"] }), ["N1", "N2", "N3"]],
    [by("email", "CONTAINS_TOKEN", { value: "odd" }), ["N1", "N3", "N5"]],
    [by("email", "NOT_CONTAINS_TOKEN", { value: "odd" }), ["N2", "N4"]],
    [by("email", "HAS_PROPERTY"), ["N1", "N2", "N3", "N4", "N5"]],
    [by("phone", "HAS_PROPERTY"), []],
    [by("phone", "NOT_HAS_PROPERTY"), ["N1", "N2", "N3", "N4", "N5"]],
    [by("createdate", "GTE", { value: `${Date.now() - hour}` }), ["N1", "N2", "N3", "N4", "N5"]],
    [by("createdate", "LT", { value: new Date(Date.now() - hour).toISOString() }), []],
    [by("createdate", "BETWEEN", { value: `${Date.now() - hour}`, highValue: `${Date.now() + hour}` }), ["N1", "N2", "N3", "N4", "N5"]],
  ];
  for (const [filter, expected] of cases) {
    assert.deepEqual(found(await api.doSearch(where(filter))), expected, JSON.stringify(filter));
  }
  const either = { filterGroups: [{ filters: [by("firstname", "EQ", { value: "N1" })] }, { filters: [by("firstname", "EQ", { value: "N5" })] }] };
  assert.deepEqual(found(await api.doSearch({ ...where(), ...either })), ["N1", "N5"]);
  assert.deepEqual(found(await api.doSearch({ query: "even", properties: ["firstname"], sorts: ["firstname"] })), ["N2", "N4"]);
});

test("results are sorted in each way that the client's documentation names", async () => {
  const api = await withContacts();
  const up = ["N1", "N2", "N3", "N4", "N5"];
  for (const [sort, expected] of [
    ["firstname", up],
    ["-firstname", up.toReversed()],
    [{ propertyName: "firstname", direction: "ASCENDING" }, up],
    [{ propertyName: "firstname", direction: "DESCENDING" }, up.toReversed()],
  ]) {
    const request = { ...where(by("email", "HAS_PROPERTY")), sorts: [sort] };
    assert.deepEqual(found(await api.doSearch(request)), expected, JSON.stringify(sort));
  }
});

test("results come page by page, with their total", async () => {
  const api = await withContacts();
  const seen = [];
  let after = "0";
  while (after) {
    const page = await api.doSearch({ ...where(by("email", "HAS_PROPERTY")), limit: 2, after });
    assert.equal(page.total, 5);
    seen.push(...found(page));
    after = page.paging?.next?.after;
  }
  assert.deepEqual(seen, ["N1", "N2", "N3", "N4", "N5"]);
});

test("companies and deals are searched too", async () => {
  const { crm } = await newAccount({ limits: unhurried });
  await crm.companies.basicApi.create({ properties: { name: "Acme", domain: "acme.example" }, associations: [] });
  const deal = { dealname: "Renewal", dealstage: "closedwon", pipeline: "default", amount: "1200.50" };
  await crm.deals.basicApi.create({ properties: deal, associations: [] });
  const companies = await crm.companies.searchApi.doSearch({ filterGroups: [{ filters: [by("domain", "EQ", { value: "acme.example" })] }] });
  assert.equal(companies.results[0].properties.name, "Acme");
  const deals = await crm.deals.searchApi.doSearch({ filterGroups: [{ filters: [by("amount", "GT", { value: "999" })] }] });
  assert.equal(deals.results[0].properties.dealname, "Renewal");
});

test("a search that breaks a limit is refused", async () => {
  const api = await withContacts();
  const tooMany = Array.from({ length: 7 }, () => by("firstname", "EQ", { value: "x" }));
  for (const request of [where(...tooMany), { limit: 201 }, { after: "10000" }, where(by("no_such_property", "EQ", { value: "x" }))]) {
    const error = await refusal(api.doSearch(request));
    assert.equal(error.code, 400, JSON.stringify(request));
    assert.equal(error.body.category, "VALIDATION_ERROR");
  }
});
