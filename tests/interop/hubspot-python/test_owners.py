"""Owners by HubSpot's own client."""

from datetime import datetime

from hubspot.crm.owners.exceptions import NotFoundException

from simulator import Account, Promises

OWNERS = [
    {
        "id": 500 + n,
        "userId": 900 + n,
        "email": f"o{n}@python.example",
        "firstName": f"O{n}",
        "lastName": "Owner",
        "archived": n == 3,
    }
    for n in (1, 2, 3)
]


class Owners(Promises):
    def setUp(self):
        self.api = Account(owners=OWNERS).crm.owners.owners_api

    def test_owners_are_listed_page_by_page_and_by_email_address(self):
        first = self.api.get_page(limit=1)
        self.assertEqual([owner.id for owner in first.results], ["501"])
        self.assertIsInstance(first.results[0].created_at, datetime)
        second = self.api.get_page(limit=1, after=first.paging.next.after)
        self.assertEqual([owner.id for owner in second.results], ["502"])
        self.assertIsNone(second.paging)
        one = self.api.get_page(email="o2@python.example")
        self.assertEqual([(owner.user_id, owner.type) for owner in one.results], [(902, "PERSON")])

    def test_an_owner_is_read_by_its_id_by_its_users_id_and_when_it_is_archived(self):
        self.assertEqual(self.api.get_by_id(501).email, "o1@python.example")
        self.assertEqual(self.api.get_by_id(901, id_property="userId").id, "501")
        gone = self.api.get_by_id(503, archived=True)
        self.assertEqual((gone.archived, gone.user_id, gone.user_id_including_inactive), (True, None, 903))
        self.refused(NotFoundException, self.api.get_by_id, 503)
