"""Refusals as HubSpot's own client reads them, and what a retry does about limits."""

import time

from hubspot import HubSpot
from hubspot.crm import contacts
from hubspot.crm.contacts.exceptions import (
    ApiException,
    ForbiddenException,
    NotFoundException,
    ServiceException,
    UnauthorizedException,
)
from urllib3.util.retry import Retry

from simulator import BASE, Account, Promises, control

ADA = contacts.SimplePublicObjectInputForCreate(properties={"email": "ada@python.example"}, associations=[])


class Refusals(Promises):
    def told(self, error, status, category):
        """Every refusal but 429 has these."""
        self.assertEqual((error.status, error.told["category"]), (status, category))
        self.assertRegex(error.told["correlationId"], "^[0-9a-f-]{36}$")
        self.assertTrue(error.told["message"])

    def test_401_a_token_that_hubspot_does_not_know_and_one_that_was_revoked(self):
        account = Account()
        control("POST", "revocations", {"token": account.token})
        for hubspot in [HubSpot(access_token="pat-na1-nobody", host=BASE), account.hubspot]:
            error = self.refused(UnauthorizedException, hubspot.crm.contacts.basic_api.get_page)
            self.told(error, 401, "INVALID_AUTHENTICATION")

    def test_403_the_scopes_that_are_missing_are_named(self):
        error = self.refused(ForbiddenException, Account(scopes=["oauth"]).crm.contacts.basic_api.get_page)
        self.told(error, 403, "MISSING_SCOPES")
        missing = error.told["errors"][0]["context"]["requiredGranularScopes"]
        self.assertEqual(missing, ["crm.objects.contacts.read"])

    def test_404_no_such_record(self):
        error = self.refused(NotFoundException, Account().crm.contacts.basic_api.get_by_id, "999999")
        self.told(error, 404, "OBJECT_NOT_FOUND")

    def test_409_the_contact_exists_and_its_id_is_named(self):
        api = Account().crm.contacts.basic_api
        existing = api.create(ADA).id
        error = self.refused(ApiException, api.create, ADA)
        self.told(error, 409, "CONFLICT")
        self.assertTrue(error.told["message"].endswith(f"Existing ID: {existing}"))

    def test_429_which_limit_was_reached_and_the_headers_of_it(self):
        api = Account(limits={"burst": 1}).crm.contacts.basic_api
        api.get_page()
        error = self.refused(ApiException, api.get_page)
        self.assertEqual((error.status, error.told["policyName"]), (429, "TEN_SECONDLY_ROLLING"))
        self.assertEqual(error.headers["X-HubSpot-RateLimit-Max"], "1")
        self.assertEqual(error.headers["X-HubSpot-RateLimit-Remaining"], "0")

    def test_429_a_retry_waits_until_there_is_room_again_and_then_succeeds(self):
        retry = Retry(total=5, backoff_factor=0.1, status_forcelist=(429,))
        api = Account(limits={"burst": 1, "burst_window_ms": 300}, retry=retry).crm.contacts.basic_api
        api.get_page()
        start = time.monotonic()
        self.assertEqual(api.get_page().results, [])
        self.assertGreater(time.monotonic() - start, 0.2, "it was not made to wait")

    def test_5xx_is_an_exception_of_its_own(self):
        account = Account()
        control("POST", "faults", {"fault": "status", "status": 503, "portal_id": account.portal_id, "times": 1})
        error = self.refused(ServiceException, account.crm.contacts.basic_api.get_page)
        self.assertEqual(error.status, 503)
