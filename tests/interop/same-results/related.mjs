// What records have to do with each other, who owns them and how they are made, by HubSpot's own client and through Hubkeep.

import { associations, hubspot, objects, owners, refusal, same, schemas, toldByHubkeep, toldByHubspot } from "./sides.mjs";

const pair = { object_type: "contacts", object_id: "101", to_object_type: "companies" };
/** The company of each side. */
const company = {};
const label = ({ typeId, category, label: text }) => ({ type_id: typeId, category, label: text ?? "" });
const sorted = (labels) => labels.toSorted((one, other) => one.type_id - other.type_id);

same(
  "a record made with an association, and read with it",
  async () => {
    const one = await hubspot.companies.basicApi.create({
      properties: { name: "Acme" },
      associations: [{ to: { id: "102" }, types: [{ associationCategory: "HUBSPOT_DEFINED", associationTypeId: 280 }] }],
    });
    company.hubspot = one.id;
    return toldByHubspot(await hubspot.companies.basicApi.getById(one.id, ["name"], undefined, ["contacts"]));
  },
  async () => {
    const { object } = await objects.ask("CreateObject", {
      object_type: "companies",
      properties: { name: "Acme" },
      associations: [{ object_type: "contacts", object_id: "102", type_id: 280, category: "HUBSPOT_DEFINED" }],
    });
    company.hubkeep = object.object_id;
    const wanted = { properties: ["name"], associated_types: ["contacts"] };
    const read = await objects.ask("GetObject", { object_type: "companies", object_id: object.object_id, ...wanted });
    return toldByHubkeep(read.object);
  },
);

same(
  "associated by default and with a label, listed, and ended",
  async () => {
    const { basicApi } = hubspot.associations.v4;
    const list = async () => {
      const { results } = await basicApi.getPage("contacts", "101", "companies");
      return results.map((one) => ({ id: String(one.toObjectId), labels: sorted(one.associationTypes.map(label)) }));
    };
    await basicApi.createDefault("contacts", "101", "companies", company.hubspot);
    const plain = await list();
    const primary = [{ associationCategory: "HUBSPOT_DEFINED", associationTypeId: 1 }];
    await basicApi.create("contacts", "101", "companies", company.hubspot, primary);
    const labelled = await list();
    await basicApi.archive("contacts", "101", "companies", company.hubspot);
    return [plain, labelled, await list()];
  },
  async () => {
    const list = async () => {
      const { records } = await associations.ask("ListAssociations", pair);
      return records.map((one) => ({ id: one.object_id, labels: sorted(one.labels) }));
    };
    const ends = { ...pair, to_object_id: company.hubkeep };
    await associations.ask("CreateAssociation", ends);
    const plain = await list();
    await associations.ask("CreateAssociation", { ...ends, labels: [{ type_id: 1, category: "HUBSPOT_DEFINED" }] });
    const labelled = await list();
    await associations.ask("RemoveAssociation", ends);
    return [plain, labelled, await list()];
  },
);

same(
  "the ways in which records can belong together",
  async () => {
    const { results } = await hubspot.associations.v4.schema.definitionsApi.getAll("contacts", "companies");
    return sorted(results.map(label));
  },
  async () => sorted((await associations.ask("ListAssociationLabels", { object_type: "contacts", to_object_type: "companies" })).labels),
);

const owner = (one) => ({
  id: one.id,
  user: one.userId === undefined || one.userId === null ? undefined : String(one.userId),
  email: one.email,
  name: [one.firstName, one.lastName],
  archived: one.archived,
});
const ownerOfHubkeep = (one) => ({
  id: one.owner_id,
  user: one._user_id ? one.user_id : undefined,
  email: one.email,
  name: [one.first_name, one.last_name],
  archived: one.archived,
});

same(
  "owners, by page, by address, one, and one that there is not",
  async () => {
    const { ownersApi } = hubspot.owners;
    const list = async (...how) => (await ownersApi.getPage(...how)).results.map(owner);
    const all = await list();
    return [all, await list(all[0].email), await list(undefined, undefined, 100, true), owner(await ownersApi.getById(Number(all[0].id))), await refusal(ownersApi.getById(99_999_999))];
  },
  async () => {
    const list = async (message) => (await owners.ask("ListOwners", message)).owners.map(ownerOfHubkeep);
    const all = await list({});
    const one = await owners.ask("GetOwner", { owner_id: all[0].id });
    return [all, await list({ email: all[0].email }), await list({ archived: true }), ownerOfHubkeep(one.owner), await refusal(owners.ask("GetOwner", { owner_id: "99999999" }))];
  },
);

export const property = (one) => ({
  name: one.name,
  label: one.label,
  type: one.type,
  field_type: one.fieldType,
  description: one.description ?? "",
  group_name: one.groupName,
  options: (one.options ?? []).map((option) => ({
    value: option.value,
    label: option.label,
    hidden: option.hidden ?? false,
    description: option.description ?? "",
  })),
  has_unique_value: one.hasUniqueValue ?? false,
  read_only: one.modificationMetadata?.readOnlyValue ?? false,
  calculated: one.calculated ?? false,
  archived: one.archived ?? false,
  hidden: one.hidden ?? false,
});
const byName = (list) => list.toSorted((one, other) => (one.name < other.name ? -1 : 1));

for (const object_type of ["contacts", "companies", "deals", "tickets"]) {
  same(
    `the properties of ${object_type}, all and one`,
    async () => {
      const { coreApi } = hubspot.properties;
      const all = byName((await coreApi.getAll(object_type)).results.map(property));
      return [all, property(await coreApi.getByName(object_type, all[0].name)), await refusal(coreApi.getByName(object_type, "no_such"))];
    },
    async () => {
      const all = byName((await schemas.ask("ListProperties", { object_type })).properties);
      const one = (name) => schemas.ask("GetProperty", { object_type, name });
      return [all, (await one(all[0].name)).property, await refusal(one("no_such"))];
    },
  );
}

export const stage = (one) => ({
  stage_id: one.id,
  label: one.label,
  metadata: one.metadata,
  archived: one.archived,
  display_order: one.displayOrder,
});
export const pipeline = (one) => ({
  pipeline_id: one.id,
  label: one.label,
  stages: one.stages.map(stage),
  archived: one.archived,
  display_order: one.displayOrder,
});

for (const object_type of ["deals", "tickets"]) {
  same(
    `the pipelines of ${object_type}, all and one`,
    async () => {
      const { pipelinesApi } = hubspot.pipelines;
      const all = (await pipelinesApi.getAll(object_type)).results.map(pipeline);
      return [all, pipeline(await pipelinesApi.getById(object_type, all[0].pipeline_id)), await refusal(pipelinesApi.getById(object_type, "no-such"))];
    },
    async () => {
      const all = (await schemas.ask("ListPipelines", { object_type })).pipelines;
      const one = (pipeline_id) => schemas.ask("GetPipeline", { object_type, pipeline_id });
      return [all, (await one(all[0].pipeline_id)).pipeline, await refusal(one("no-such"))];
    },
  );
}

const type = (one) => ({
  object_type_id: one.objectTypeId,
  fully_qualified_name: one.fullyQualifiedName.replace(/^p\d+_/, "p_"),
  name: one.name,
  singular_label: one.labels.singular,
  plural_label: one.labels.plural,
  primary_display_property: one.primaryDisplayProperty,
  required_properties: one.requiredProperties,
  archived: one.archived ?? false,
});
const typeOfHubkeep = (one) => ({ ...one, fully_qualified_name: one.fully_qualified_name.replace(/^p\d+_/, "p_") });

same(
  "the types that the account has made for itself, all and one",
  async () => {
    const { coreApi } = hubspot.schemas;
    const all = (await coreApi.getAll()).results.map(type);
    return [all, type(await coreApi.getById(all[0].object_type_id))];
  },
  async () => {
    const all = (await schemas.ask("ListObjectTypes", {})).object_types.map(typeOfHubkeep);
    const one = await schemas.ask("GetObjectType", { object_type: all[0].object_type_id });
    return [all, typeOfHubkeep(one.object_type)];
  },
);
