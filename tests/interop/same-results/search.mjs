// Searches, by HubSpot's own client and through Hubkeep.

import { hubspot, objects, refusal, same, toldByHubkeep, toldByHubspot } from "./sides.mjs";

const hour = 3_600_000;
const now = Date.now();
const FILTERS = [
  { property: "firstname", operator: "EQ", value: "Contact 2" },
  { property: "firstname", operator: "NEQ", value: "Contact 2" },
  { property: "lifecyclestage", operator: "IN", values: ["lead", "other"] },
  { property: "lifecyclestage", operator: "NOT_IN", values: ["lead"] },
  { property: "email", operator: "CONTAINS_TOKEN", value: "contact1" },
  { property: "email", operator: "NOT_CONTAINS_TOKEN", value: "contact1" },
  { property: "email", operator: "HAS_PROPERTY" },
  { property: "phone", operator: "HAS_PROPERTY" },
  { property: "phone", operator: "NOT_HAS_PROPERTY" },
  { property: "createdate", operator: "GT", value: `${now - hour}` },
  { property: "createdate", operator: "GTE", value: `${now - hour}` },
  { property: "createdate", operator: "LT", value: `${now - hour}` },
  { property: "createdate", operator: "LTE", value: `${now + hour}` },
  { property: "createdate", operator: "BETWEEN", value: `${now - hour}`, high_value: `${now + hour}` },
];
const properties = ["firstname", "email"];

const inHubspotsWords = ({ property, high_value, ...filter }) => ({
  propertyName: property,
  ...filter,
  ...(high_value && { highValue: high_value }),
});
const inOurs = (filter) => ({ ...filter, operator: `FILTER_OPERATOR_${filter.operator}` });

/** Asks both for the same; `groups` are of filters. */
function found(name, groups, { query = "", descending = false, limit = 100, pages = 1 } = {}) {
  same(
    name,
    async () => {
      const all = [];
      let after;
      for (let page = 0; page < pages; page += 1) {
        const told = await hubspot.contacts.searchApi.doSearch({
          filterGroups: groups.map((filters) => ({ filters: filters.map(inHubspotsWords) })),
          ...(query && { query }),
          properties,
          sorts: [{ propertyName: "firstname", direction: descending ? "DESCENDING" : "ASCENDING" }],
          limit,
          ...(after && { after }),
        });
        after = told.paging?.next?.after;
        all.push({ total: told.total, more: Boolean(after), results: told.results.map(toldByHubspot) });
      }
      return all;
    },
    async () => {
      const all = [];
      let page_token = "";
      for (let page = 0; page < pages; page += 1) {
        const told = await objects.ask("SearchObjects", {
          object_type: "contacts",
          filter_groups: groups.map((filters) => ({ filters: filters.map(inOurs) })),
          query,
          properties,
          sort: { property: "firstname", descending },
          page_size: limit,
          page_token,
        });
        page_token = told.next_page_token;
        all.push({ total: Number(told.total_count), more: Boolean(page_token), results: told.objects.map(toldByHubkeep) });
      }
      return all;
    },
  );
}

for (const filter of FILTERS) {
  found(`${filter.property} ${filter.operator}`, [[filter]]);
}
found("either of two groups", [[FILTERS[0]], [{ property: "firstname", operator: "EQ", value: "Contact 5" }]]);
found("both of two filters", [[FILTERS[1], FILTERS[4]]]);
found("free text", [], { query: "contact1" });
found("the other way round", [[FILTERS[6]]], { descending: true });
found("page by page", [[FILTERS[6]]], { limit: 2, pages: 3 });

same(
  "a property that there is not is refused",
  async () => refusal(hubspot.contacts.searchApi.doSearch({ filterGroups: [{ filters: [{ propertyName: "no_such", operator: "EQ", value: "x" }] }], limit: 10 })),
  async () =>
    refusal(
      objects.ask("SearchObjects", {
        object_type: "contacts",
        filter_groups: [{ filters: [{ property: "no_such", operator: "FILTER_OPERATOR_EQ", value: "x" }] }],
      }),
    ),
);
