"""Search by HubSpot's own client."""

import time

from hubspot.crm import companies, contacts, deals

from simulator import Account, Promises

UNHURRIED = {"burst": 1_000, "search_per_second": 1_000}
UP = ["N1", "N2", "N3", "N4", "N5"]


def where(*filters, **more):
    request = {
        "filter_groups": [contacts.FilterGroup(filters=[contacts.Filter(**one) for one in filters])],
        "properties": ["firstname"],
        "sorts": ["firstname"],
        "limit": 100,
    }
    return contacts.PublicObjectSearchRequest(**(request | more))


def by(name, operator, **value):
    return {"property_name": name, "operator": operator, **value}


def found(page):
    return [record.properties["firstname"] for record in page.results]


class Search(Promises):
    def setUp(self):
        self.crm = Account(limits=UNHURRIED).crm
        self.search = self.crm.contacts.search_api.do_search
        inputs = [
            contacts.SimplePublicObjectInputForCreate(
                properties={
                    "email": f"n{n}@{'odd' if n % 2 else 'even'}.example",
                    "firstname": f"N{n}",
                    "lifecyclestage": "lead" if n < 4 else "customer",
                },
                associations=[],
            )
            for n in range(1, 6)
        ]
        self.crm.contacts.batch_api.create(contacts.BatchInputSimplePublicObjectBatchInputForCreate(inputs))

    def test_filters_of_every_kind_find_what_they_should(self):
        now = int(time.time() * 1_000)
        hour = 3_600_000
        for filter, expected in [
            (by("firstname", "EQ", value="N2"), ["N2"]),
            (by("firstname", "NEQ", value="N2"), ["N1", "N3", "N4", "N5"]),
            (by("lifecyclestage", "IN", values=["customer", "other"]), ["N4", "N5"]),
            (by("lifecyclestage", "NOT_IN", values=["customer"]), ["N1", "N2", "N3"]),
            (by("email", "CONTAINS_TOKEN", value="odd"), ["N1", "N3", "N5"]),
            (by("email", "NOT_CONTAINS_TOKEN", value="odd"), ["N2", "N4"]),
            (by("email", "HAS_PROPERTY"), UP),
            (by("phone", "NOT_HAS_PROPERTY"), UP),
            (by("createdate", "GTE", value=str(now - hour)), UP),
            (by("createdate", "BETWEEN", value=str(now - hour), high_value=str(now + hour)), UP),
        ]:
            with self.subTest(filter):
                self.assertEqual(found(self.search(where(filter))), expected)
        self.assertEqual(found(self.search(where(query="even", filter_groups=[]))), ["N2", "N4"])

    def test_results_are_sorted_and_come_page_by_page_with_their_total(self):
        seen, after = [], None
        down = {"propertyName": "firstname", "direction": "DESCENDING"}
        while True:
            page = self.search(where(by("email", "HAS_PROPERTY"), limit=2, after=after, sorts=[down]))
            self.assertEqual(page.total, 5)
            seen += found(page)
            if not page.paging:
                break
            after = page.paging.next.after
        self.assertEqual(seen, UP[::-1])

    def test_companies_and_deals_are_searched_too(self):
        acme = {"name": "Acme", "domain": "acme.example"}
        self.crm.companies.basic_api.create(
            companies.SimplePublicObjectInputForCreate(properties=acme, associations=[])
        )
        named = companies.PublicObjectSearchRequest(query="acme")
        self.assertEqual(self.crm.companies.search_api.do_search(named).results[0].properties["name"], "Acme")

        renewal = {"dealname": "Renewal", "dealstage": "closedwon", "pipeline": "default", "amount": "1200.50"}
        self.crm.deals.basic_api.create(deals.SimplePublicObjectInputForCreate(properties=renewal, associations=[]))
        dear = deals.FilterGroup(filters=[deals.Filter(property_name="amount", operator="GT", value="999")])
        dear = deals.PublicObjectSearchRequest(filter_groups=[dear])
        self.assertEqual(self.crm.deals.search_api.do_search(dear).results[0].properties["dealname"], "Renewal")

    def test_a_search_that_breaks_a_limit_is_refused(self):
        many = [by("firstname", "EQ", value="x")] * 7
        for request in [where(*many), where(limit=201), where(after="10000"), where(by("no_such", "EQ", value="x"))]:
            error = self.refused(contacts.exceptions.ApiException, self.search, request)
            self.assertEqual((error.status, error.told["category"]), (400, "VALIDATION_ERROR"))
