"""Contacts, companies, deals and tickets, one by one, by HubSpot's own client and through Hubkeep."""

from hubspot.crm.contacts import PublicGdprDeleteInput, SimplePublicObjectInput, SimplePublicObjectInputForCreate

from sides import CLIENT, SIMULATOR, Flows, hubspot, objects, refusal
from types_of_records import KINDS, NOBODY
from words import there


def get(object_type, object_id, **more):
    return objects.ask("GetObject", object_type=object_type, object_id=object_id, **more).object


def create(object_type, properties):
    return objects.ask("CreateObject", object_type=object_type, properties=properties).object


def update(object_type, object_id, properties, **more):
    asked = {"object_type": object_type, "object_id": object_id, "properties": properties}
    return objects.ask("UpdateObject", **asked, **more).object


class Records(Flows):
    def test_a_record_is_created_and_fetched_by_its_id(self):
        for kind in KINDS:
            with self.subTest(kind.name):
                api = kind.api.basic_api

                def by_hubspot():
                    made = api.create(simple_public_object_input_for_create=kind.new("made"))
                    wanted = [kind.shown, "hs_object_id"]
                    return [made, api.get_by_id(made.id), api.get_by_id(made.id, properties=wanted)]

                def by_hubkeep():
                    made = create(kind.name, kind.make("made"))
                    wanted = [kind.shown, "hs_object_id"]
                    fetched = get(kind.name, made.object_id)
                    return [made, fetched, get(kind.name, made.object_id, properties=wanted)]

                self.same(by_hubspot, by_hubkeep)

    def test_a_record_is_changed_and_a_value_of_it_cleared_and_its_history_shows_both(self):
        for kind in KINDS:
            with self.subTest(kind.name):
                api, changes = kind.api.basic_api, [{kind.shown: "changed"}, {kind.shown: "again", "hubspot_owner_id": ""}]

                def by_hubspot():
                    one = api.create(kind.new("changed")).id
                    told = [api.update(one, kind.model.SimplePublicObjectInput(properties=change)) for change in changes]
                    return [*told, api.get_by_id(one, properties=[kind.shown], properties_with_history=[kind.shown])]

                def by_hubkeep():
                    one = create(kind.name, kind.make("changed")).object_id
                    told = [update(kind.name, one, change) for change in changes]
                    return [*told, get(kind.name, one, properties=[kind.shown], history_properties=[kind.shown])]

                self.same(by_hubspot, by_hubkeep)

    def test_a_record_is_archived_and_found_among_the_archived_only(self):
        for kind in KINDS:
            with self.subTest(kind.name):
                api = kind.api.basic_api

                def by_hubspot():
                    one = api.create(kind.new("archived")).id
                    api.archive(one)
                    return [refusal(api.get_by_id, one), api.get_by_id(one, properties=[kind.shown], archived=True)]

                def by_hubkeep():
                    one = create(kind.name, kind.make("archived")).object_id
                    objects.ask("ArchiveObject", object_type=kind.name, object_id=one)
                    return [
                        refusal(get, kind.name, one),
                        get(kind.name, one, properties=[kind.shown], archived=True),
                    ]

                self.same(by_hubspot, by_hubkeep)

    def test_what_is_not_there_and_what_is_not_valid_is_refused_alike(self):
        for kind in KINDS:
            with self.subTest(kind.name):
                api, change = kind.api.basic_api, {kind.shown: "x"}

                def by_hubspot():
                    return [
                        refusal(api.get_by_id, NOBODY),
                        refusal(api.update, NOBODY, kind.model.SimplePublicObjectInput(properties=change)),
                        refusal(api.create, kind.new("refused", no_such_property="x")),
                    ]

                def by_hubkeep():
                    return [
                        refusal(get, kind.name, NOBODY),
                        refusal(update, kind.name, NOBODY, change),
                        refusal(create, kind.name, kind.make("refused") | {"no_such_property": "x"}),
                    ]

                self.same(by_hubspot, by_hubkeep)

    def test_two_records_are_made_one(self):
        for kind in KINDS:
            with self.subTest(kind.name):
                api = kind.api.basic_api

                def by_hubspot():
                    stays, goes = (api.create(kind.new(name)).id for name in ("stays", "goes"))
                    pair = kind.model.PublicMergeInput(primary_object_id=stays, object_id_to_merge=goes)
                    return api.merge(pair)

                def by_hubkeep():
                    stays, goes = (create(kind.name, kind.make(name)).object_id for name in ("stays", "goes"))
                    asked = {"object_type": kind.name, "primary_object_id": stays, "merged_object_id": goes}
                    return objects.ask("MergeObjects", **asked).object

                self.same(by_hubspot, by_hubkeep)


class Contacts(Flows):
    def test_a_contact_is_found_and_changed_by_its_address_and_is_not_made_twice(self):
        api, ada = hubspot.contacts.basic_api, {"email": "ada@python.example", "lastname": "A"}

        def by_hubspot():
            api.create(SimplePublicObjectInputForCreate(properties=ada))
            found = api.get_by_id("Ada@python.example", properties=["email", "lastname"], id_property="email")
            change = SimplePublicObjectInput(properties={"phone": "1"})
            changed = api.update("ada@python.example", change, id_property="email")
            return [found, changed, refusal(api.create, SimplePublicObjectInputForCreate(properties=ada))]

        def by_hubkeep():
            create("contacts", ada)
            by = {"id_property": "email"}
            found = get("contacts", "Ada@python.example", properties=["email", "lastname"], **by)
            changed = update("contacts", "ada@python.example", {"phone": "1"}, **by)
            return [found, changed, refusal(create, "contacts", ada)]

        self.same(by_hubspot, by_hubkeep)

    def test_a_contact_is_erased_for_good(self):
        api, eve = hubspot.contacts.basic_api, {"email": "eve@python.example"}

        def by_hubspot():
            one = api.create(SimplePublicObjectInputForCreate(properties=eve)).id
            api.purge(PublicGdprDeleteInput(object_id=one))
            return refusal(api.get_by_id, one)

        def by_hubkeep():
            one = create("contacts", eve).object_id
            objects.ask("EraseContact", object_id=one)
            return refusal(get, "contacts", one)

        self.same(by_hubspot, by_hubkeep)

    def test_what_the_client_does_not_wrap_gives_the_same_records(self):
        path, some = "/crm/v3/objects/contacts", {"email": "some_email@some.com", "lastname": "some_last_name"}

        def by_hubspot():
            asked = {"base_url": SIMULATOR, "path": path}
            made = CLIENT.api_request(asked | {"method": "POST", "body": {"properties": some}}).json()
            listed = CLIENT.api_request(asked).json()["results"]
            return [(one["id"], there(one["properties"]), one["archived"]) for one in (made, *listed)]

        def by_hubkeep():
            made = create("contacts", some)
            # 10 is what HubSpot gives who does not say how many.
            listed = objects.ask("ListObjects", object_type="contacts", page_size=10).objects
            return [(one.object_id, dict(one.properties), one.archived) for one in (made, *listed)]

        self.same(by_hubspot, by_hubkeep)
