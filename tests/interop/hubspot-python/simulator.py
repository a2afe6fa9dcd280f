"""The simulator's control, and HubSpot's client for an account of its own."""

import json
import os
import secrets
import unittest
import urllib.request

from hubspot import HubSpot

BASE = os.environ["HUBSPOT_SIM"]


def control(method, what, body):
    """Asks the simulator to do something; see hubspot-sim/README.md."""
    request = urllib.request.Request(f"{BASE}/_sim/{what}", method=method, data=json.dumps(body).encode())
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


class Account:
    """A new account, and a client of it."""

    def __init__(self, scopes=None, retry=None, **portal):
        self.portal_id = 2_000_000_000 + secrets.randbelow(1_000_000_000)
        self.token = f"pat-na1-00000000-0py0-0000-0000-00{self.portal_id}"
        token = {"token": self.token} | ({"scopes": scopes} if scopes else {})
        spec = {"slug": f"python-{self.portal_id}", "portal_id": self.portal_id, "tokens": [token]}
        control("POST", "portals", spec | portal)
        self.hubspot = HubSpot(access_token=self.token, host=BASE, retry=retry)
        self.crm = self.hubspot.crm


class Promises(unittest.TestCase):
    """What every file here needs."""

    def refused(self, expected, call, *args, **kwargs):
        """Calls, and gives the exception with its body read."""
        with self.assertRaises(expected) as caught:
            call(*args, **kwargs)
        error = caught.exception
        error.told = json.loads(error.body)
        return error
