"""Records of a type that the account has made for itself, by HubSpot's own client and through Hubkeep."""

from hubspot.crm import objects as official

from sides import Flows, by_id, hubspot, objects, refusal
from types_of_records import NOBODY

BOAT = "2-7"
NAMES = ["Alba", "Bora", "Cito"]
# Hubkeep asks nothing for a record without any property; the type asks for a name.
NAMELESS = {"hubspot_owner_id": "901"}


class CustomObjects(Flows):
    def test_custom_objects_are_made_fetched_changed_listed_searched_and_archived(self):
        def by_hubspot():
            api = hubspot.objects
            new = [official.SimplePublicObjectInputForCreate(properties={"name": name}) for name in NAMES]
            first = api.basic_api.create(BOAT, new[0])
            rows = official.BatchInputSimplePublicObjectBatchInputForCreate(new[1:])
            more = by_id(api.batch_api.create(BOAT, rows).results)
            fetched = api.basic_api.get_by_id(BOAT, first.id)
            change = official.SimplePublicObjectInput(properties={"name": "Dora"})
            changed = api.basic_api.update(BOAT, first.id, change)
            page = api.basic_api.get_page(object_type=BOAT, limit=2)
            every = api.get_all(object_type=BOAT)
            filters = [official.Filter(property_name="name", operator="EQ", value="Bora")]
            request = official.PublicObjectSearchRequest(filter_groups=[official.FilterGroup(filters)])
            found = api.search_api.do_search(BOAT, request).results
            api.basic_api.archive(BOAT, first.id)
            gone = refusal(api.basic_api.get_by_id, BOAT, first.id)
            return [first, more, fetched, changed, page.results, page.paging is not None, every, found, gone]

        def by_hubkeep():
            asked = {"object_type": BOAT}
            first = objects.ask("CreateObject", **asked, properties={"name": NAMES[0]}).object
            rows = [{"properties": {"name": name}} for name in NAMES[1:]]
            made = objects.ask("BatchCreateObjects", **asked, inputs=rows).results
            more = by_id(row.object for row in made)
            one = {**asked, "object_id": first.object_id}
            fetched = objects.ask("GetObject", **one).object
            changed = objects.ask("UpdateObject", **one, properties={"name": "Dora"}).object
            page = objects.ask("ListObjects", **asked, page_size=2)
            every = [one for message in objects.ask("StreamObjects", **asked) for one in message.objects]
            filters = [{"property": "name", "operator": "FILTER_OPERATOR_EQ", "value": "Bora"}]
            found = list(objects.ask("SearchObjects", **asked, filter_groups=[{"filters": filters}]).objects)
            objects.ask("ArchiveObject", **one)
            gone = refusal(objects.ask, "GetObject", **one)
            return [first, more, fetched, changed, list(page.objects), bool(page.next_page_token), every, found, gone]

        self.same(by_hubspot, by_hubkeep)

    def test_what_a_type_asks_of_its_records_is_asked_and_nobody_is_not_found(self):
        def by_hubspot():
            api = hubspot.objects.basic_api
            nameless = official.SimplePublicObjectInputForCreate(properties=NAMELESS)
            return [refusal(api.create, BOAT, nameless), refusal(api.get_by_id, BOAT, NOBODY)]

        def by_hubkeep():
            return [
                refusal(objects.ask, "CreateObject", object_type=BOAT, properties=NAMELESS),
                refusal(objects.ask, "GetObject", object_type=BOAT, object_id=NOBODY),
            ]

        self.same(by_hubspot, by_hubkeep)
