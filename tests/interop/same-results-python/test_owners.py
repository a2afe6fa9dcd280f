"""Owners, by HubSpot's own client and through Hubkeep."""

from sides import Flows, hubspot, owners, refusal
from types_of_records import NOBODY


class Owners(Flows):
    def test_owners_come_page_by_page_by_their_address_and_one_by_one(self):
        def by_hubspot():
            api = hubspot.owners.owners_api
            first = api.get_page(limit=1)
            [one, other] = [first.results, api.get_page(limit=1, after=first.paging.next.after).results]
            return [
                [one, other],
                api.get_page(email=one[0].email).results,
                api.get_page(archived=True).results,
                api.get_by_id(int(one[0].id)),
                refusal(api.get_by_id, int(NOBODY)),
            ]

        def by_hubkeep():
            def listed(**more):
                return list(owners.ask("ListOwners", **more).owners)

            token = owners.ask("ListOwners", page_size=1).next_page_token
            [one, other] = [listed(page_size=1), listed(page_size=1, page_token=token)]
            return [
                [one, other],
                listed(email=one[0].email),
                listed(archived=True),
                owners.ask("GetOwner", owner_id=one[0].owner_id).owner,
                refusal(owners.ask, "GetOwner", owner_id=NOBODY),
            ]

        self.same(by_hubspot, by_hubkeep)
