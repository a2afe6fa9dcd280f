"""An example client of Hubkeep: takes a handle, reads contacts with it, walks through all of them, sees what is left of
the portal's quota, is refused another client's data, and finds its own call on the audit log.

    python example.py acme globex
"""

import os
import sys

import grpc

from connection import caller, dial, showing
from hubkeep.audit.v1 import audit_service_pb2, audit_service_pb2_grpc, entry_pb2
from hubkeep.credential.v1 import handle_service_pb2, handle_service_pb2_grpc
from hubkeep.crm.v1 import object_service_pb2, object_service_pb2_grpc, quota_service_pb2, quota_service_pb2_grpc, reply_pb2
from refusal import Refusal

# How long a call may take, in seconds. The services see it as the call's deadline.
PATIENCE = 20


def main(client: str = "acme", other: str = "globex") -> None:
    credential_service = os.environ.get("HUBKEEP_CREDENTIAL_SERVICE", "http://127.0.0.1:7401")
    crm_service = os.environ.get("HUBKEEP_CRM_SERVICE", "http://127.0.0.1:7402")
    with dial(credential_service) as to_credential_service, dial(crm_service) as to_crm_service:
        handle = issue(handle_service_pb2_grpc.HandleServiceStub(to_credential_service), client)
        objects = object_service_pb2_grpc.ObjectServiceStub(to_crm_service)
        reply = list_contacts(objects, handle, client)
        walk(objects, handle, client)
        show_quota(quota_service_pb2_grpc.QuotaServiceStub(to_crm_service), handle, client)
        be_refused(objects, handle, other)
        follow(audit_service_pb2_grpc.AuditServiceStub(to_crm_service), handle, reply)


def issue(handles: handle_service_pb2_grpc.HandleServiceStub, client: str) -> str:
    """Takes a handle: for one portal, a few minutes, and no more than what is named here."""
    issued = handles.IssueHandle(
        handle_service_pb2.IssueHandleRequest(
            client_slug=client,
            scope=handle_service_pb2.HandleScope(
                operations=[
                    handle_service_pb2.HANDLE_OPERATION_LIST,
                    handle_service_pb2.HANDLE_OPERATION_QUOTA,
                    handle_service_pb2.HANDLE_OPERATION_READ_AUDIT,
                ],
                object_types=["contacts"],
            ),
            purpose_code="example",
        ),
        metadata=caller(),
        timeout=PATIENCE,
    )
    known = issued.description
    until = known.expire_time.ToJsonString()
    print(f"handle {known.handle_id} of {known.caller} for portal {known.portal_id}, until {until}")
    return issued.handle


def list_contacts(
    objects: object_service_pb2_grpc.ObjectServiceStub, handle: str, client: str
) -> reply_pb2.Reply:
    """Reads two contacts, and gives what the service says about the call."""
    page = objects.ListObjects(
        object_service_pb2.ListObjectsRequest(
            client_slug=client, object_type="contacts", properties=["email", "firstname"], page_size=2
        ),
        metadata=showing(handle),
        timeout=PATIENCE,
    )
    for contact in page.objects:
        # A property without a value is absent; contact.properties["email"] would put one there.
        print(f"contact {contact.object_id} {contact.properties.get('email', '')}")
    print(f"call {page.reply.call_id}, durable at {page.reply.audit_position}")
    return page.reply


def walk(objects: object_service_pb2_grpc.ObjectServiceStub, handle: str, client: str) -> None:
    """Counts all contacts. After a break, a new request with the last resume token goes on."""
    request = object_service_pb2.StreamObjectsRequest(client_slug=client, object_type="contacts")
    pages = objects.StreamObjects(request, metadata=showing(handle), timeout=PATIENCE)
    print(f"walked {sum(len(page.objects) for page in pages)}")


def show_quota(quotas: quota_service_pb2_grpc.QuotaServiceStub, handle: str, client: str) -> None:
    """Shows how many calls the portal may still make now."""
    request = quota_service_pb2.GetQuotaRequest(client_slug=client)
    quota = quotas.GetQuota(request, metadata=showing(handle), timeout=PATIENCE).quota
    print(f"left {quota.burst.left} now, {quota.daily.left} today")


def be_refused(objects: object_service_pb2_grpc.ObjectServiceStub, handle: str, other: str) -> None:
    """Asks for another client's contacts with a handle that is not for them."""
    request = object_service_pb2.ListObjectsRequest(client_slug=other, object_type="contacts")
    try:
        objects.ListObjects(request, metadata=showing(handle), timeout=PATIENCE)
    except grpc.RpcError as error:
        if (refusal := Refusal.of(error)) is None:
            raise
        print("refused:", refusal)
    else:
        raise RuntimeError(f"expected to be refused the contacts of {other}")


def follow(log: audit_service_pb2_grpc.AuditServiceStub, handle: str, reply: reply_pb2.Reply) -> None:
    """Reads the audit log until it shows how the call ended.

    One call's entries are found by an index, so beginning at 0 costs nothing; who follows everything goes on after the
    last position seen.
    """
    messages = log.StreamEvents(
        audit_service_pb2.StreamEventsRequest(
            after_position=0,
            filter=audit_service_pb2.EventFilter(client_slug=reply.client_slug, call_id=reply.call_id),
        ),
        metadata=showing(handle),
        timeout=PATIENCE,
    )
    for message in messages:
        if message.WhichOneof("message") == "reached_position":
            continue  # Nothing more up to there, so far.
        event, entry = message.event, message.event.entry
        phase, operation, result = (
            entry_pb2.Phase.Name(entry.phase),
            entry_pb2.Operation.Name(entry.operation),
            entry_pb2.Result.Name(entry.result),
        )
        print(f"audit {event.position} {phase} {operation} {result}")
        if entry.phase == entry_pb2.PHASE_OUTCOME:
            messages.cancel()
            return


if __name__ == "__main__":
    try:
        main(*sys.argv[1:3])
    except grpc.RpcError as error:
        sys.exit(str(Refusal.of(error) or f"{error.code().name}: {error.details()}"))
    except ValueError as error:
        sys.exit(str(error))
