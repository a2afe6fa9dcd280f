"""Many records at once, page by page, and all, by HubSpot's own client and through Hubkeep."""

from hubspot.crm.contacts import BatchInputSimplePublicObjectBatchInputUpsert, SimplePublicObjectBatchInputUpsert

from hubkeep.error.v1.error_reason_pb2 import ErrorReason
from sides import Flows, by_id, hubspot, objects, refusal
from types_of_records import KINDS, NOBODY
from words import REFUSED_ROWS

FIVE = [1, 2, 3, 4, 5]


def made(kind):
    """Five of them, made by HubSpot's client."""
    rows = [kind.new(n) for n in FIVE]
    return by_id(kind.api.batch_api.create(kind.model.BatchInputSimplePublicObjectBatchInputForCreate(rows)).results)


def made_through(kind):
    """Five of them, made through Hubkeep."""
    inputs = [{"properties": kind.make(n)} for n in FIVE]
    return rows_of(objects.ask("BatchCreateObjects", object_type=kind.name, inputs=inputs))


def rows_of(answer):
    return by_id(row.object for row in answer.results if row.HasField("object"))


def missing(answer):
    """The rows that were refused, as HubSpot tells them: grouped by why."""
    return [(one, REFUSED_ROWS[error.category]) for error in answer.errors for one in error.context["ids"]]


def missing_of(asked, answer):
    """The rows that were refused, as Hubkeep tells them: each in its place."""
    rows = zip(asked, answer.results, strict=True)
    return [(one, ErrorReason.Name(row.error.reason)) for one, row in rows if row.HasField("error")]


class Many(Flows):
    """In this order: the later ones find what the first has left."""

    def test_1_many_are_created_read_changed_and_archived_and_those_not_found_are_told(self):
        for kind in KINDS:
            with self.subTest(kind.name):
                batch, model = kind.api.batch_api, kind.model
                wanted = {"properties": [kind.shown], "properties_with_history": [kind.shown]}

                def by_hubspot():
                    created = made(kind)
                    ids = [one.id for one in created]
                    inputs = kind.ids([*ids, NOBODY])
                    read = batch.read(model.BatchReadInputSimplePublicObjectId(inputs=inputs, **wanted))
                    changes = [
                        model.SimplePublicObjectBatchInput(id=one, properties={kind.shown: f"changed {one}"})
                        for one in [*ids, NOBODY]
                    ]
                    changed = batch.update(model.BatchInputSimplePublicObjectBatchInput(changes))
                    batch.archive(model.BatchInputSimplePublicObjectId(kind.ids(ids[:2])))
                    gone = [refusal(kind.api.basic_api.get_by_id, one) for one in ids[:2]]
                    return [created, by_id(read.results), missing(read), by_id(changed.results), missing(changed), gone]

                def by_hubkeep():
                    asked = {"object_type": kind.name}
                    created = made_through(kind)
                    ids = [one.object_id for one in created]
                    every = [*ids, NOBODY]
                    more = {"properties": [kind.shown], "history_properties": [kind.shown]}
                    read = objects.ask("BatchReadObjects", **asked, object_ids=every, **more)
                    changes = [{"object_id": one, "properties": {kind.shown: f"changed {one}"}} for one in every]
                    changed = objects.ask("BatchUpdateObjects", **asked, inputs=changes)
                    objects.ask("BatchArchiveObjects", **asked, object_ids=ids[:2])
                    gone = [refusal(objects.ask, "GetObject", **asked, object_id=one) for one in ids[:2]]
                    told = [rows_of(read), missing_of(every, read), rows_of(changed), missing_of(every, changed)]
                    return [created, *told, gone]

                self.same(by_hubspot, by_hubkeep)

    def test_2_all_come_page_by_page_and_at_once(self):
        for kind in KINDS:
            with self.subTest(kind.name):

                def by_hubspot():
                    pages, after = [], None
                    while True:
                        page = kind.api.basic_api.get_page(limit=2, after=after, properties=[kind.shown])
                        pages.append(page.results)
                        if page.paging is None:
                            return [pages, kind.api.get_all(properties=[kind.shown])]
                        after = page.paging.next.after

                def by_hubkeep():
                    asked = {"object_type": kind.name, "properties": [kind.shown]}
                    pages, token = [], ""
                    while True:
                        page = objects.ask("ListObjects", **asked, page_size=2, page_token=token)
                        pages.append(list(page.objects))
                        if not (token := page.next_page_token):
                            break
                    walked = objects.ask("StreamObjects", **asked)
                    return [pages, [one for message in walked for one in message.objects]]

                self.same(by_hubspot, by_hubkeep)

    def test_3_those_that_are_archived_come_where_they_are_asked_for(self):
        for kind in KINDS:
            with self.subTest(kind.name):

                def by_hubspot():
                    return kind.api.get_all(properties=[kind.shown], archived=True)

                def by_hubkeep():
                    walked = objects.ask("StreamObjects", object_type=kind.name, properties=[kind.shown], archived=True)
                    return [one for message in walked for one in message.objects]

                self.same(by_hubspot, by_hubkeep)

    def test_4_contacts_are_changed_or_made_by_their_address(self):
        rows = {"n4@python.example": "Known", "n5@python.example": "Known", "new@python.example": "New"}

        def by_hubspot():
            inputs = [
                SimplePublicObjectBatchInputUpsert(
                    id=address, id_property="email", properties={"email": address, "lastname": name}
                )
                for address, name in rows.items()
            ]
            upserted = hubspot.contacts.batch_api.upsert(BatchInputSimplePublicObjectBatchInputUpsert(inputs))
            return [(one.new, one) for one in by_id(upserted.results)]

        def by_hubkeep():
            inputs = [
                {"object_id": address, "properties": {"email": address, "lastname": name}} for address, name in rows.items()
            ]
            upserted = objects.ask("UpsertObjects", object_type="contacts", id_property="email", inputs=inputs)
            created = {row.object.object_id: row.created for row in upserted.results}
            return [(created[one.object_id], one) for one in rows_of(upserted)]

        self.same(by_hubspot, by_hubkeep)
