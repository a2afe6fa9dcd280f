"""What records have to do with each other, one by one and many at once, by HubSpot's own client and through Hubkeep."""

from hubspot.crm import companies
from hubspot.crm.association_type import AssociationType
from hubspot.crm.associations import v4

from sides import Flows, associations, hubspot, objects, refusal
from types_of_records import NOBODY

# Of the contacts that both accounts have from the beginning.
CONTACT, OTHER, THIRD = "101", "102", "103"
BETWEEN = {"object_type": "contacts", "to_object_type": "companies"}
PRIMARY = {"category": "HUBSPOT_DEFINED", "type_id": AssociationType.PRIMARY_CONTACT_TO_COMPANY}


def company():
    """A company, made by HubSpot's client."""
    new = companies.SimplePublicObjectInputForCreate(properties={"name": "Associated"})
    return hubspot.companies.basic_api.create(new).id


def company_through():
    """A company, made through Hubkeep."""
    made = objects.ask("CreateObject", object_type="companies", properties={"name": "Associated"})
    return made.object.object_id


def spec(label):
    return v4.AssociationSpec(association_category=label["category"], association_type_id=label["type_id"])


class Associations(Flows):
    def test_a_record_is_made_with_an_association_and_read_with_it(self):
        label = {"category": "HUBSPOT_DEFINED", "type_id": AssociationType.COMPANY_TO_CONTACT}

        def by_hubspot():
            api, to = hubspot.companies.basic_api, companies.PublicObjectId(id=OTHER)
            types = [
                companies.AssociationSpec(association_category=label["category"], association_type_id=label["type_id"])
            ]
            made = api.create(
                companies.SimplePublicObjectInputForCreate(
                    properties={"name": "Acme"}, associations=[companies.PublicAssociationsForObject(to=to, types=types)]
                )
            )
            return api.get_by_id(made.id, properties=["name"], associations=["contacts"])

        def by_hubkeep():
            asked = {"object_type": "companies"}
            to = {"object_type": "contacts", "object_id": OTHER, **label}
            made = objects.ask("CreateObject", **asked, properties={"name": "Acme"}, associations=[to]).object
            more = {"properties": ["name"], "associated_types": ["contacts"]}
            return objects.ask("GetObject", **asked, object_id=made.object_id, **more).object

        self.same(by_hubspot, by_hubkeep)

    def test_two_records_are_associated_by_default_and_with_a_label_and_no_more(self):
        def by_hubspot():
            api, pair = hubspot.associations.v4.basic_api, ("contacts", CONTACT, "companies", company())

            def listed():
                return api.get_page(*pair[:3]).results

            api.create_default(*pair)
            plain = listed()
            made = api.create(*pair, [spec(PRIMARY)])
            labelled = listed()
            api.archive(*pair)
            return [plain, sorted(made.labels), labelled, listed()]

        def by_hubkeep():
            one = {**BETWEEN, "object_id": CONTACT}
            pair = {**one, "to_object_id": company_through()}

            def listed():
                return list(associations.ask("ListAssociations", **one).records)

            associations.ask("CreateAssociation", **pair)
            plain = listed()
            made = associations.ask("CreateAssociation", **pair, labels=[PRIMARY])
            labelled = listed()
            associations.ask("RemoveAssociation", **pair)
            return [plain, named(made.labels), labelled, listed()]

        self.same(by_hubspot, by_hubkeep)

    def test_what_a_record_is_associated_with_comes_page_by_page(self):
        def by_hubspot():
            api = hubspot.associations.v4.basic_api
            for one in [company() for _ in range(3)]:
                api.create_default("contacts", THIRD, "companies", one)
            pages, after = [], None
            while True:
                page = api.get_page("contacts", THIRD, "companies", limit=2, after=after)
                pages.append(page.results)
                if page.paging is None:
                    return pages
                after = page.paging.next.after

        def by_hubkeep():
            one = {**BETWEEN, "object_id": THIRD}
            for other in [company_through() for _ in range(3)]:
                associations.ask("CreateAssociation", **one, to_object_id=other)
            pages, token = [], ""
            while True:
                page = associations.ask("ListAssociations", **one, page_size=2, page_token=token)
                pages.append(list(page.records))
                if not (token := page.next_page_token):
                    return pages

        self.same(by_hubspot, by_hubkeep)

    def test_the_ways_in_which_records_can_belong_together(self):
        def by_hubspot():
            return in_order(hubspot.associations.v4.schema.definitions_api.get_all("contacts", "companies").results)

        def by_hubkeep():
            return in_order(associations.ask("ListAssociationLabels", **BETWEEN).labels)

        self.same(by_hubspot, by_hubkeep)

    def test_an_association_with_nobody_is_refused(self):
        def by_hubspot():
            return refusal(hubspot.associations.v4.basic_api.create_default, "contacts", CONTACT, "companies", NOBODY)

        def by_hubkeep():
            return refusal(associations.ask, "CreateAssociation", **BETWEEN, object_id=CONTACT, to_object_id=NOBODY)

        self.same(by_hubspot, by_hubkeep)

    def test_many_are_associated_without_a_label_and_with_one_and_taken_apart_label_by_label(self):
        from_all = [CONTACT, OTHER, THIRD]

        def by_hubspot():
            api, types, to = hubspot.associations.v4.batch_api, ("contacts", "companies"), v4.PublicObjectId(company())
            ends = [{"_from": v4.PublicObjectId(one), "to": to} for one in from_all]

            def read():
                inputs = [v4.PublicFetchAssociationsBatchRequest(id=one) for one in from_all]
                told = api.get_page(*types, v4.BatchInputPublicFetchAssociationsBatchRequest(inputs)).results
                of = {one._from.id: one.to for one in told}
                return [[other for other in of.get(one, []) if other.to_object_id == to.id] for one in from_all]

            defaults = [v4.PublicDefaultAssociationMultiPost(**pair) for pair in ends]
            api.create_default(*types, v4.BatchInputPublicDefaultAssociationMultiPost(defaults))
            plain = read()
            labelled = [v4.PublicAssociationMultiPost(types=[spec(PRIMARY)], **pair) for pair in ends[:2]]
            api.create(*types, v4.BatchInputPublicAssociationMultiPost(labelled))
            both = read()
            api.archive_labels(*types, v4.BatchInputPublicAssociationMultiPost(labelled[:1]))
            fewer = read()
            archived = [v4.PublicAssociationMultiArchive(_from=pair["_from"], to=[to]) for pair in ends]
            api.archive(*types, v4.BatchInputPublicAssociationMultiArchive(archived))
            return [plain, both, fewer, read()]

        def by_hubkeep():
            to = company_through()
            ends = [{"object_id": one, "to_object_id": to} for one in from_all]

            def read():
                inputs = [{"object_id": one} for one in from_all]
                told = associations.ask("BatchReadAssociations", **BETWEEN, inputs=inputs).results
                return [[other for other in row.page.records if other.object_id == to] for row in told]

            associations.ask("BatchCreateAssociations", **BETWEEN, inputs=ends)
            plain = read()
            labelled = [pair | {"labels": [PRIMARY]} for pair in ends[:2]]
            associations.ask("BatchCreateAssociations", **BETWEEN, inputs=labelled)
            both = read()
            associations.ask("BatchRemoveAssociationLabels", **BETWEEN, inputs=labelled[:1])
            fewer = read()
            associations.ask("BatchRemoveAssociations", **BETWEEN, inputs=ends)
            return [plain, both, fewer, read()]

        self.same(by_hubspot, by_hubkeep)


def named(labels):
    """HubSpot tells who makes an association the names of its labels; Hubkeep tells their ids, and what they are called where it
    is asked for all."""
    names = {label.type_id: label.label for label in associations.ask("ListAssociationLabels", **BETWEEN).labels}
    return sorted(names[label.type_id] for label in labels)


def in_order(labels):
    return sorted(labels, key=lambda label: label.type_id)
