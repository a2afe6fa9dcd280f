"""The types that HubSpot's client has a package for, and records of them."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from hubspot.crm import companies, contacts, deals, tickets

from sides import hubspot


@dataclass(frozen=True)
class Kind:
    name: str
    # HubSpot's models of it.
    model: ModuleType
    # The property that is changed.
    shown: str
    # The properties of the n-th.
    make: Callable[[Any], dict[str, str]]

    @property
    def api(self) -> Any:
        """HubSpot's client for it."""
        return getattr(hubspot, self.name)

    def ids(self, ids: list[str]) -> list[Any]:
        return [self.model.SimplePublicObjectId(id=one) for one in ids]

    def new(self, n: Any, **more: str) -> Any:
        return self.model.SimplePublicObjectInputForCreate(properties=self.make(n) | more)


KINDS = [
    Kind("contacts", contacts, "firstname", lambda n: {"email": f"n{n}@python.example", "firstname": f"N{n}"}),
    Kind("companies", companies, "name", lambda n: {"name": f"N{n}", "domain": f"n{n}.example"}),
    Kind(
        "deals",
        deals,
        "dealname",
        lambda n: {"dealname": f"N{n}", "dealstage": "appointmentscheduled", "pipeline": "default", "amount": "10"},
    ),
    Kind("tickets", tickets, "subject", lambda n: {"subject": f"N{n}", "hs_pipeline": "0", "hs_pipeline_stage": "1"}),
]
NOBODY = "99999999"
