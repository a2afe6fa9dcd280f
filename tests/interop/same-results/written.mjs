// Many associations at once, and properties and pipelines that are made, changed and archived, by HubSpot's own client and
// through Hubkeep.

import { pipeline, property, stage } from "./related.mjs";
import { associations, hubspot, objects, refusal, same, schemas } from "./sides.mjs";

const types = { object_type: "contacts", to_object_type: "companies" };
const contacts = ["101", "102", "103"];
const made = (ids) => ids.toSorted((one, other) => one - other);

same(
  "many pairs associated without a label and with one, read, and taken apart label by label and whole",
  async () => {
    const { batchApi } = hubspot.associations.v4;
    const company = await hubspot.companies.basicApi.create({ properties: { name: "Many" }, associations: [] });
    const pairs = contacts.map((id) => ({ _from: { id }, to: { id: company.id } }));
    const read = async () => {
      const { results } = await batchApi.getPage("contacts", "companies", { inputs: contacts.map((id) => ({ id })) });
      const of = (id) => results.find((one) => one._from.id === id)?.to ?? [];
      return contacts.map((id) => of(id).map((one) => made(one.associationTypes.map(({ typeId }) => typeId))));
    };
    await batchApi.createDefault("contacts", "companies", { inputs: pairs });
    const plain = await read();
    const primary = [{ associationCategory: "HUBSPOT_DEFINED", associationTypeId: 1 }];
    const withLabel = pairs.slice(0, 2).map((one) => ({ ...one, types: primary }));
    await batchApi.create("contacts", "companies", { inputs: withLabel });
    const labelled = await read();
    await batchApi.archiveLabels("contacts", "companies", { inputs: withLabel.slice(0, 1) });
    const fewer = await read();
    await batchApi.archive("contacts", "companies", { inputs: pairs.map((one) => ({ ...one, to: [one.to] })) });
    return [plain, labelled, fewer, await read()];
  },
  async () => {
    const company = await objects.ask("CreateObject", { object_type: "companies", properties: { name: "Many" } });
    const pairs = contacts.map((object_id) => ({ object_id, to_object_id: company.object.object_id }));
    const read = async () => {
      const inputs = contacts.map((object_id) => ({ object_id }));
      const { results } = await associations.ask("BatchReadAssociations", { ...types, inputs });
      return results.map(({ page }) => page.records.map((one) => made(one.labels.map(({ type_id }) => type_id))));
    };
    await associations.ask("BatchCreateAssociations", { ...types, inputs: pairs });
    const plain = await read();
    const labels = [{ type_id: 1, category: "HUBSPOT_DEFINED" }];
    const withLabel = pairs.slice(0, 2).map((one) => ({ ...one, labels }));
    await associations.ask("BatchCreateAssociations", { ...types, inputs: withLabel });
    const labelled = await read();
    await associations.ask("BatchRemoveAssociationLabels", { ...types, inputs: withLabel.slice(0, 1) });
    const fewer = await read();
    await associations.ask("BatchRemoveAssociations", { ...types, inputs: pairs });
    return [plain, labelled, fewer, await read()];
  },
);

const options = [
  { value: "gold", label: "Gold", hidden: false, description: "" },
  { value: "silver", label: "Silver", hidden: true, description: "" },
];
const ordered = options.map((option, displayOrder) => ({ ...option, displayOrder }));

same(
  "a property made, made again, changed, and archived",
  async () => {
    const { coreApi } = hubspot.properties;
    const tier = {
      name: "tier",
      label: "Tier",
      type: "enumeration",
      fieldType: "select",
      groupName: "contactinformation",
      description: "What they pay for",
      options: ordered,
    };
    const first = property(await coreApi.create("contacts", tier));
    const again = await refusal(coreApi.create("contacts", tier));
    const changed = property(await coreApi.update("contacts", "tier", { label: "Level", options: ordered.slice(0, 1) }));
    await coreApi.archive("contacts", "tier");
    return [first, again, changed, await refusal(coreApi.getByName("contacts", "tier"))];
  },
  async () => {
    const name = { object_type: "contacts", name: "tier" };
    const tier = {
      ...name,
      label: "Tier",
      type: "enumeration",
      field_type: "select",
      group_name: "contactinformation",
      description: "What they pay for",
      options,
    };
    const first = (await schemas.ask("CreateProperty", tier)).property;
    const again = await refusal(schemas.ask("CreateProperty", tier));
    const change = { ...name, label: "Level", options: { options: options.slice(0, 1) } };
    const changed = (await schemas.ask("UpdateProperty", change)).property;
    await schemas.ask("ArchiveProperty", name);
    return [first, again, changed, await refusal(schemas.ask("GetProperty", name))];
  },
);

const stages = [
  { label: "First", metadata: { probability: "0.1" } },
  { label: "Won", metadata: { probability: "1.0" } },
];

same(
  "a pipeline made, made again, changed, given a stage, and archived with it",
  async () => {
    const { pipelinesApi, pipelineStagesApi } = hubspot.pipelines;
    const renewals = { label: "Renewals", displayOrder: 3, stages: stages.map((one, displayOrder) => ({ ...one, displayOrder })) };
    const first = pipeline(await pipelinesApi.create("deals", renewals));
    const again = await refusal(pipelinesApi.create("deals", renewals));
    const id = first.pipeline_id;
    const changed = pipeline(await pipelinesApi.update("deals", id, { label: "Upgrades" }));
    const lost = { label: "Lost", displayOrder: 2, metadata: { probability: "0.0" } };
    const added = stage(await pipelineStagesApi.create("deals", id, lost));
    const renamed = stage(await pipelineStagesApi.update("deals", id, added.stage_id, { label: "Gone" }));
    await pipelineStagesApi.archive("deals", id, added.stage_id);
    const left = pipeline(await pipelinesApi.getById("deals", id));
    await pipelinesApi.archive("deals", id);
    return [first, again, changed, added, renamed, left, await refusal(pipelinesApi.getById("deals", id))];
  },
  async () => {
    const type = { object_type: "deals" };
    const renewals = { ...type, label: "Renewals", display_order: 3, stages };
    const first = (await schemas.ask("CreatePipeline", renewals)).pipeline;
    const again = await refusal(schemas.ask("CreatePipeline", renewals));
    const one = { ...type, pipeline_id: first.pipeline_id };
    const changed = (await schemas.ask("UpdatePipeline", { ...one, label: "Upgrades" })).pipeline;
    const lost = { label: "Lost", metadata: { probability: "0.0" } };
    const added = (await schemas.ask("CreatePipelineStage", { ...one, stage: lost, display_order: 2 })).stage;
    const ends = { ...one, stage_id: added.stage_id };
    const renamed = (await schemas.ask("UpdatePipelineStage", { ...ends, label: "Gone" })).stage;
    await schemas.ask("ArchivePipelineStage", ends);
    const left = (await schemas.ask("GetPipeline", one)).pipeline;
    await schemas.ask("ArchivePipeline", one);
    return [first, again, changed, added, renamed, left, await refusal(schemas.ask("GetPipeline", one))];
  },
);
