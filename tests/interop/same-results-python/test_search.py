"""Searches, by HubSpot's own client and through Hubkeep."""

import time

from dateutil import parser
from hubspot.crm import companies, contacts

from sides import Flows, hubspot, objects, refusal

HOUR = 3_600_000
NOW = int(time.time() * 1_000)
FILTERS = [
    {"property": "firstname", "operator": "EQ", "value": "Contact 2"},
    {"property": "firstname", "operator": "NEQ", "value": "Contact 2"},
    {"property": "lifecyclestage", "operator": "IN", "values": ["lead", "other"]},
    {"property": "lifecyclestage", "operator": "NOT_IN", "values": ["customer"]},
    {"property": "email", "operator": "CONTAINS_TOKEN", "value": "contact1"},
    {"property": "email", "operator": "NOT_CONTAINS_TOKEN", "value": "contact1"},
    {"property": "email", "operator": "HAS_PROPERTY"},
    {"property": "phone", "operator": "NOT_HAS_PROPERTY"},
    {"property": "createdate", "operator": "GT", "value": str(NOW - HOUR)},
    {"property": "createdate", "operator": "GTE", "value": str(NOW - HOUR)},
    {"property": "createdate", "operator": "LT", "value": str(NOW + HOUR)},
    {"property": "createdate", "operator": "LTE", "value": str(NOW + HOUR)},
    {"property": "createdate", "operator": "BETWEEN", "value": str(NOW - HOUR), "high_value": str(NOW + HOUR)},
]
PROPERTIES = ["firstname", "email"]


def in_hubspots_words(filter):
    more = dict(filter)
    return contacts.Filter(property_name=more.pop("property"), **more)


def in_ours(filter):
    return filter | {"operator": f"FILTER_OPERATOR_{filter['operator']}"}


class Search(Flows):
    def found(self, groups, query="", descending=False, limit=100, pages=1):
        """Asks both for the same; `groups` are of filters."""

        def by_hubspot():
            told, after = [], None
            for _ in range(pages):
                request = contacts.PublicObjectSearchRequest(
                    filter_groups=[contacts.FilterGroup([in_hubspots_words(one) for one in group]) for group in groups],
                    query=query or None,
                    properties=PROPERTIES,
                    sorts=[{"propertyName": "firstname", "direction": "DESCENDING" if descending else "ASCENDING"}],
                    limit=limit,
                    after=after,
                )
                page = hubspot.contacts.search_api.do_search(public_object_search_request=request)
                told.append([page.total, page.paging is not None, page.results])
                after = page.paging and page.paging.next.after
            self.assertTrue(told[0][0], "it finds something")
            return told

        def by_hubkeep():
            told, token = [], ""
            for _ in range(pages):
                page = objects.ask(
                    "SearchObjects",
                    object_type="contacts",
                    filter_groups=[{"filters": [in_ours(one) for one in group]} for group in groups],
                    query=query,
                    properties=PROPERTIES,
                    sort={"property": "firstname", "descending": descending},
                    page_size=limit,
                    page_token=token,
                )
                token = page.next_page_token
                told.append([page.total_count, bool(token), list(page.objects)])
            return told

        self.same(by_hubspot, by_hubkeep)

    def test_filters_of_every_kind(self):
        for filter in FILTERS:
            with self.subTest(filter):
                self.found([[filter]])

    def test_either_of_two_groups_and_both_of_two_filters(self):
        self.found([[FILTERS[0]], [{"property": "firstname", "operator": "EQ", "value": "Contact 5"}]])
        self.found([[FILTERS[1], FILTERS[4]]])

    def test_free_text_and_the_other_way_round_and_page_by_page(self):
        self.found([], query="contact1")
        self.found([[FILTERS[6]]], descending=True)
        self.found([[FILTERS[6]]], limit=2, pages=3)

    def test_by_date(self):
        """The example of the client's page, of when a contact was changed last."""

        def by_hubspot():
            def changed(operator, **value):
                filters = [{"propertyName": "lastmodifieddate", "operator": operator, **value}]
                request = contacts.PublicObjectSearchRequest(filter_groups=[{"filters": filters}], limit=10)
                return hubspot.contacts.search_api.do_search(public_object_search_request=request).results

            [*_, last] = changed("HAS_PROPERTY")
            return [last, *changed("EQ", value=milliseconds(last.properties["lastmodifieddate"]))]

        def by_hubkeep():
            def changed(operator, **value):
                filters = [in_ours({"property": "lastmodifieddate", "operator": operator, **value})]
                asked = {"object_type": "contacts", "filter_groups": [{"filters": filters}], "page_size": 10}
                return objects.ask("SearchObjects", **asked).objects

            [*_, last] = changed("HAS_PROPERTY")
            return [last, *changed("EQ", value=milliseconds(last.properties["lastmodifieddate"]))]

        self.same(by_hubspot, by_hubkeep)

    def test_companies_are_searched_too(self):
        acme = {"name": "Searched", "domain": "searched.example"}

        def by_hubspot():
            hubspot.companies.basic_api.create(companies.SimplePublicObjectInputForCreate(properties=acme))
            return hubspot.companies.search_api.do_search(companies.PublicObjectSearchRequest(query="searched")).results

        def by_hubkeep():
            objects.ask("CreateObject", object_type="companies", properties=acme)
            return list(objects.ask("SearchObjects", object_type="companies", query="searched").objects)

        self.same(by_hubspot, by_hubkeep)

    def test_a_property_that_there_is_not_is_refused(self):
        odd = {"property": "no_such", "operator": "EQ", "value": "x"}

        def by_hubspot():
            groups = [contacts.FilterGroup([in_hubspots_words(odd)])]
            return refusal(
                hubspot.contacts.search_api.do_search, contacts.PublicObjectSearchRequest(filter_groups=groups)
            )

        def by_hubkeep():
            groups = [{"filters": [in_ours(odd)]}]
            return refusal(objects.ask, "SearchObjects", object_type="contacts", filter_groups=groups)

        self.same(by_hubspot, by_hubkeep)


def milliseconds(moment):
    return str(int(parser.isoparse(moment).timestamp() * 1_000))
