"""Contacts, companies and deals by HubSpot's own client."""

from datetime import datetime
from types import SimpleNamespace

from hubspot.crm import companies, contacts, deals

from simulator import Account, Promises

TYPES = [
    SimpleNamespace(
        name="contacts",
        model=contacts,
        shown="firstname",
        make=lambda n: {"email": f"n{n}@python.example", "firstname": f"N{n}"},
    ),
    SimpleNamespace(
        name="companies",
        model=companies,
        shown="name",
        make=lambda n: {"name": f"N{n}", "domain": f"n{n}.example"},
    ),
    SimpleNamespace(
        name="deals",
        model=deals,
        shown="dealname",
        make=lambda n: {"dealname": f"N{n}", "dealstage": "appointmentscheduled", "pipeline": "default", "amount": "10"},
    ),
]


def new(kind, n):
    return kind.model.SimplePublicObjectInputForCreate(properties=kind.make(n), associations=[])


class Records(Promises):
    def test_records_are_created_read_changed_and_archived(self):
        for kind in TYPES:
            with self.subTest(kind.name):
                api = getattr(Account().crm, kind.name)
                created = api.basic_api.create(new(kind, 1))
                self.assertIsInstance(created.created_at, datetime)
                self.assertEqual(created.properties["hs_object_id"], created.id)
                self.assertFalse(created.archived)

                read = api.basic_api.get_by_id(created.id, properties=[kind.shown])
                self.assertEqual(read.properties[kind.shown], "N1")

                change = kind.model.SimplePublicObjectInput(properties={kind.shown: "N1 changed"})
                changed = api.basic_api.update(created.id, change)
                self.assertEqual(changed.properties[kind.shown], "N1 changed")
                self.assertGreaterEqual(changed.updated_at, created.updated_at)

                api.basic_api.archive(created.id)
                self.refused(kind.model.exceptions.NotFoundException, api.basic_api.get_by_id, created.id)
                archived = api.basic_api.get_by_id(created.id, archived=True)
                self.assertTrue(archived.archived)
                self.assertIsInstance(archived.archived_at, datetime)

    def test_records_are_listed_page_by_page_each_once(self):
        for kind in TYPES:
            with self.subTest(kind.name):
                api = getattr(Account().crm, kind.name)
                batch = kind.model.BatchInputSimplePublicObjectBatchInputForCreate([new(kind, n) for n in range(5)])
                made = api.batch_api.create(batch)
                self.assertEqual(made.status, "COMPLETE")
                ids = {record.id for record in made.results}

                page = api.basic_api.get_page(limit=2)
                seen = [record.id for record in page.results]
                while page.paging:
                    page = api.basic_api.get_page(limit=2, after=page.paging.next.after)
                    seen += [record.id for record in page.results]
                self.assertEqual(sorted(seen), sorted(ids))
                self.assertEqual({record.id for record in api.get_all()}, ids)

    def test_records_are_read_many_at_once_and_those_not_found_are_told(self):
        for kind in TYPES:
            with self.subTest(kind.name):
                api = getattr(Account().crm, kind.name)
                batch = kind.model.BatchInputSimplePublicObjectBatchInputForCreate([new(kind, n) for n in (1, 2)])
                ids = [record.id for record in api.batch_api.create(batch).results]

                def read(wanted):
                    return api.batch_api.read(
                        kind.model.BatchReadInputSimplePublicObjectId(
                            inputs=[kind.model.SimplePublicObjectId(id=one) for one in wanted],
                            properties=[kind.shown],
                            properties_with_history=[],
                        )
                    )

                every = read(ids)
                self.assertEqual(every.status, "COMPLETE")
                self.assertIsInstance(every.completed_at, datetime)
                self.assertEqual(sorted(record.properties[kind.shown] for record in every.results), ["N1", "N2"])

                some = read([*ids, "99999999"])
                self.assertEqual(len(some.results), 2)
                self.assertEqual(some.num_errors, 1)
                self.assertEqual(some.errors[0].category, "OBJECT_NOT_FOUND")
                self.assertEqual(some.errors[0].context, {"ids": ["99999999"]})

    def test_a_contact_is_found_by_its_email_address(self):
        api = Account().crm.contacts.basic_api
        properties = {"email": "Ada+1@python.example"}
        made = api.create(contacts.SimplePublicObjectInputForCreate(properties=properties, associations=[]))
        self.assertEqual(api.get_by_id("ada+1@python.example", id_property="email").id, made.id)

    def test_the_history_of_a_property_is_read(self):
        api = Account().crm.contacts.basic_api
        made = api.create(new(TYPES[0], 1))
        api.update(made.id, contacts.SimplePublicObjectInput(properties={"firstname": "B"}))
        history = api.get_by_id(made.id, properties_with_history=["firstname"]).properties_with_history
        self.assertEqual([value.value for value in history["firstname"]], ["B", "N1"])
        self.assertIsInstance(history["firstname"][0].timestamp, datetime)
