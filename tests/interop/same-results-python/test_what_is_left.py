"""What both accounts hold when all flows have been done: unittest takes files by their names, and this one last."""

from hubspot.crm.associations import v4

from sides import Flows, behind, hubspot, objects
from types_of_records import KINDS
from words import of_any_account, plain


def names(object_type):
    return [one.name for one in hubspot.properties.core_api.get_all(object_type).results]


def held(crm, object_type, **more):
    """All records of an account, archived ones too, with every property, by HubSpot's client."""
    api, asked = getattr(crm, object_type), {"properties": names(object_type)} | more
    return [*api.get_all(**asked), *api.get_all(**asked, archived=True)]


class WhatIsLeft(Flows):
    def test_both_accounts_hold_the_same(self):
        for kind in KINDS:
            with self.subTest(kind.name):
                expected = held(hubspot, kind.name)
                self.assertGreater(len(expected), 8)
                self.assertEqual(of_any_account(plain(held(behind, kind.name))), of_any_account(plain(expected)))

    def test_both_accounts_have_the_same_properties_and_pipelines(self):
        def made(crm):
            of_deals = crm.pipelines.pipelines_api.get_all("deals").results
            return [of_deals, *(crm.properties.core_api.get_all(kind.name).results for kind in KINDS)]

        self.assertEqual(of_any_account(plain(made(behind))), of_any_account(plain(made(hubspot))))

    def test_in_both_accounts_the_same_records_belong_together(self):
        def together(crm):
            ids = [one.id for one in crm.contacts.get_all()]
            asked = v4.BatchInputPublicFetchAssociationsBatchRequest([
                v4.PublicFetchAssociationsBatchRequest(id=one) for one in ids
            ])
            told = crm.associations.v4.batch_api.get_page("contacts", "companies", asked).results
            return {one._from.id: plain(one.to) for one in told}

        expected = together(hubspot)
        self.assertGreater(len(expected), 1)
        self.assertEqual(together(behind), expected)

    def test_of_one_account_both_tell_the_same_to_the_millisecond(self):
        for kind in KINDS:
            with self.subTest(kind.name):
                asked = {"object_type": kind.name, "properties": names(kind.name), "history_properties": [kind.shown]}
                heard = []
                for archived in (False, True):
                    walked = objects.ask("StreamObjects", **asked, archived=archived)
                    heard += [one for message in walked for one in message.objects]
                self.assertEqual(plain(heard), plain(held(behind, kind.name, properties_with_history=[kind.shown])))
