"""The same account twice: one is asked by HubSpot's own client, the other through Hubkeep, by stubs that were generated from
its wire."""

import json
import os
import unittest
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any

import grpc
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hubspot import HubSpot

# Hubkeep's example client: ../../../clients/python.
from connection import dial, showing
from hubkeep.crm.v1 import association_service_pb2, association_service_pb2_grpc
from hubkeep.crm.v1 import object_service_pb2, object_service_pb2_grpc
from hubkeep.crm.v1 import owner_service_pb2, owner_service_pb2_grpc
from hubkeep.crm.v1 import schema_service_pb2, schema_service_pb2_grpc
from refusal import Refusal
from words import REFUSALS, of_any_account, plain

SIMULATOR = os.environ["HUBSPOT_SIM"]
# How long a call may take, in seconds.
PATIENCE = 20

CLIENT = HubSpot(access_token=os.environ["HUBSPOT_TOKEN"], host=SIMULATOR)
# HubSpot's own client of this account.
hubspot = CLIENT.crm
# The same of the account behind Hubkeep: to see what has become of it, not to change it.
behind = HubSpot(access_token=os.environ["HUBSPOT_TOKEN_BEHIND"], host=SIMULATOR).crm


class Stub:
    """A generated stub, whose every call shows the handle and names the client."""

    channel = dial(os.environ["HUBKEEP_CRM_SERVICE"])

    def __init__(self, name: str, messages: Any, stubs: Any) -> None:
        self.methods = messages.DESCRIPTOR.services_by_name[name].methods_by_name
        self.stub = getattr(stubs, f"{name}Stub")(self.channel)

    def ask(self, method: str, **request: Any) -> Any:
        message = GetMessageClass(self.methods[method].input_type)
        message = message(client_slug=os.environ["HUBKEEP_CLIENT"], **request)
        handle = os.environ["HUBKEEP_HANDLE"]
        return getattr(self.stub, method)(message, metadata=showing(handle), timeout=PATIENCE)


objects = Stub("ObjectService", object_service_pb2, object_service_pb2_grpc)
associations = Stub("AssociationService", association_service_pb2, association_service_pb2_grpc)
owners = Stub("OwnerService", owner_service_pb2, owner_service_pb2_grpc)
schemas = Stub("SchemaService", schema_service_pb2, schema_service_pb2_grpc)


def by_id(records: Iterable[Any]) -> list[Any]:
    """In an order of their own: HubSpot promises none for what is done many at once."""
    return sorted(records, key=lambda one: int(one.object_id if isinstance(one, Message) else one.id))


def refusal(call: Callable[..., Any], *args: Any, **more: Any) -> dict[str, Any]:
    """What a call is refused with, in the words of both."""
    try:
        call(*args, **more)
    except grpc.RpcError as error:
        if (told := Refusal.of(error)) is None:
            raise
        return refused_by_hubkeep(told)
    except Exception as error:
        # Each package of HubSpot's client has exceptions of its own, which have this in common.
        if not getattr(error, "status", None):
            raise
        return refused_by_hubspot(error.status, json.loads(error.body))
    raise AssertionError("expected a refusal")


def refused_by_hubspot(status: int, told: dict[str, Any]) -> dict[str, Any]:
    [detail] = told.get("errors") or [{}]
    context = detail.get("context", {})
    [named] = context.get("propertyName") or context.get("properties") or [None]
    return {
        "meaning": REFUSALS[status, told["category"]],
        "existing": told["message"].partition("Existing ID: ")[2] or None,
        "code": detail.get("code"),
        "property": named,
        "answered": status_answered(told["correlationId"]),
    }


def refused_by_hubkeep(told: Refusal) -> dict[str, Any]:
    return {
        "meaning": (told.code, told.reason),
        "existing": told.metadata.get("existing_object_id"),
        "code": told.metadata.get("hubspot_code"),
        "property": told.metadata.get("property"),
        "answered": status_answered(told.metadata["hubspot_correlation_id"]),
    }


def status_answered(correlation_id: str) -> int:
    """The status of HubSpot's answer that has this correlation id."""
    with urllib.request.urlopen(f"{SIMULATOR}/_sim/journal") as answer:
        entries = json.load(answer)
    [entry] = [one for one in entries if one["correlation_id"] == correlation_id]
    return entry["status"]


class Flows(unittest.TestCase):
    """Each is done once by each side, and both must tell the same."""

    maxDiff = None

    def same(self, by_hubspot: Callable[[], Any], by_hubkeep: Callable[[], Any]) -> None:
        told = of_any_account(plain(by_hubspot()))
        heard = of_any_account(plain(by_hubkeep()))
        self.assertTrue(told, "a flow tells something")
        self.assertEqual(heard, told)
