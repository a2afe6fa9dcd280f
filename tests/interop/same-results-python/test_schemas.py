"""How records are made: properties, pipelines and types, by HubSpot's own client and through Hubkeep."""

from hubspot.crm import pipelines, properties

from sides import Flows, hubspot, refusal, schemas
from types_of_records import KINDS

TIER = {
    "name": "tier",
    "label": "Tier",
    "type": "enumeration",
    "field_type": "select",
    "group_name": "contactinformation",
    "description": "What they pay for",
}
OPTIONS = [
    {"value": "gold", "label": "Gold", "hidden": False, "description": ""},
    {"value": "silver", "label": "Silver", "hidden": True, "description": ""},
]
STAGES = [
    {"label": "First", "metadata": {"probability": "0.1"}},
    {"label": "Won", "metadata": {"probability": "1.0"}},
]
LOST = {"label": "Lost", "metadata": {"probability": "0.0"}}


def by_name(some):
    return sorted(some, key=lambda one: one.name)


class Properties(Flows):
    def test_the_properties_of_a_type_all_and_one_and_one_that_there_is_not(self):
        for kind in KINDS:
            with self.subTest(kind.name):

                def by_hubspot():
                    api = hubspot.properties.core_api
                    every = by_name(api.get_all(kind.name).results)
                    return [
                        every,
                        api.get_by_name(kind.name, kind.shown),
                        refusal(api.get_by_name, kind.name, "no_such"),
                    ]

                def by_hubkeep():
                    every = by_name(schemas.ask("ListProperties", object_type=kind.name).properties)
                    asked = {"object_type": kind.name}
                    return [
                        every,
                        schemas.ask("GetProperty", **asked, name=kind.shown).property,
                        refusal(schemas.ask, "GetProperty", **asked, name="no_such"),
                    ]

                self.same(by_hubspot, by_hubkeep)

    def test_a_property_is_made_not_made_again_changed_and_archived(self):
        def by_hubspot():
            api = hubspot.properties.core_api
            options = [properties.OptionInput(display_order=at, **one) for at, one in enumerate(OPTIONS)]
            tier = properties.PropertyCreate(options=options, **TIER)
            first = api.create("contacts", tier)
            again = refusal(api.create, "contacts", tier)
            change = properties.PropertyUpdate(label="Level", options=options[:1])
            changed = api.update("contacts", "tier", change)
            api.archive("contacts", "tier")
            archived = [one for one in api.get_all("contacts", archived=True).results if one.name == "tier"]
            return [first, again, changed, refusal(api.get_by_name, "contacts", "tier"), archived]

        def by_hubkeep():
            name = {"object_type": "contacts", "name": "tier"}
            tier = {"object_type": "contacts", "options": OPTIONS, **TIER}
            first = schemas.ask("CreateProperty", **tier).property
            again = refusal(schemas.ask, "CreateProperty", **tier)
            changed = schemas.ask("UpdateProperty", **name, label="Level", options={"options": OPTIONS[:1]}).property
            schemas.ask("ArchiveProperty", **name)
            every = schemas.ask("ListProperties", object_type="contacts", archived=True).properties
            archived = [one for one in every if one.name == "tier"]
            return [first, again, changed, refusal(schemas.ask, "GetProperty", **name), archived]

        self.same(by_hubspot, by_hubkeep)


class Pipelines(Flows):
    def test_the_pipelines_of_a_type_all_and_one_and_one_that_there_is_not(self):
        for object_type in ("deals", "tickets"):
            with self.subTest(object_type):

                def by_hubspot():
                    api = hubspot.pipelines.pipelines_api
                    every = api.get_all(object_type).results
                    return [every, api.get_by_id(object_type, every[0].id), refusal(api.get_by_id, object_type, "no-such")]

                def by_hubkeep():
                    asked = {"object_type": object_type}
                    every = list(schemas.ask("ListPipelines", **asked).pipelines)
                    one = schemas.ask("GetPipeline", **asked, pipeline_id=every[0].pipeline_id).pipeline
                    return [every, one, refusal(schemas.ask, "GetPipeline", **asked, pipeline_id="no-such")]

                self.same(by_hubspot, by_hubkeep)

    def test_a_pipeline_is_made_not_made_again_changed_given_a_stage_and_archived(self):
        def by_hubspot():
            api, of_stages = hubspot.pipelines.pipelines_api, hubspot.pipelines.pipeline_stages_api
            stages = [pipelines.PipelineStageInput(display_order=at, **one) for at, one in enumerate(STAGES)]
            renewals = pipelines.PipelineInput(label="Renewals", display_order=3, stages=stages)
            first = api.create("deals", renewals)
            again = refusal(api.create, "deals", renewals)
            one = ("deals", first.id)
            changed = api.update(*one, pipelines.PipelinePatchInput(label="Upgrades"))
            added = of_stages.create(*one, pipelines.PipelineStageInput(display_order=2, **LOST))
            change = pipelines.PipelineStagePatchInput(label="Gone")
            renamed = of_stages.update(*one, added.id, change)
            likelier = of_stages.update(*one, added.id, pipelines.PipelineStagePatchInput(metadata={"probability": "0.2"}))
            of_stages.archive(*one, added.id)
            left = api.get_by_id(*one)
            api.archive(*one)
            return [first, again, changed, added, renamed, likelier, left, refusal(api.get_by_id, *one)]

        def by_hubkeep():
            renewals = {"object_type": "deals", "label": "Renewals", "display_order": 3, "stages": STAGES}
            first = schemas.ask("CreatePipeline", **renewals).pipeline
            again = refusal(schemas.ask, "CreatePipeline", **renewals)
            one = {"object_type": "deals", "pipeline_id": first.pipeline_id}
            changed = schemas.ask("UpdatePipeline", **one, label="Upgrades").pipeline
            added = schemas.ask("CreatePipelineStage", **one, stage=LOST, display_order=2).stage
            of_stage = {**one, "stage_id": added.stage_id}
            renamed = schemas.ask("UpdatePipelineStage", **of_stage, label="Gone").stage
            likelier = schemas.ask("UpdatePipelineStage", **of_stage, metadata={"probability": "0.2"}).stage
            schemas.ask("ArchivePipelineStage", **of_stage)
            left = schemas.ask("GetPipeline", **one).pipeline
            schemas.ask("ArchivePipeline", **one)
            return [first, again, changed, added, renamed, likelier, left, refusal(schemas.ask, "GetPipeline", **one)]

        self.same(by_hubspot, by_hubkeep)


class Types(Flows):
    def test_the_types_that_the_account_has_made_for_itself_all_and_one_and_one_that_there_is_not(self):
        def by_hubspot():
            api = hubspot.schemas.core_api
            every = api.get_all().results
            return [every, api.get_by_id(every[0].object_type_id), refusal(api.get_by_id, "2-99999")]

        def by_hubkeep():
            every = list(schemas.ask("ListObjectTypes").object_types)
            one = schemas.ask("GetObjectType", object_type=every[0].object_type_id).object_type
            return [every, one, refusal(schemas.ask, "GetObjectType", object_type="2-99999")]

        self.same(by_hubspot, by_hubkeep)
