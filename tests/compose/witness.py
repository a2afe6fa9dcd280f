"""Holds the simulator's journal against crm-service's log: each request that HubSpot received carries the id of an
intent, each intent has an outcome, and as many writes were answered as the callers were told."""

import json
import sys


def documents(path):
    text, decoder, at, found = open(path).read(), json.JSONDecoder(), 0, []
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        found.append(value)
    return found


journal = [entry for page in documents(sys.argv[1]) for entry in page]
events = documents(sys.argv[2])
if len(events) == 1 and "entry" not in events[0]:
    events = next(value for value in events[0].values() if isinstance(value, list))
entries = [event["entry"] for event in events]
told = int(sys.argv[3])

received = [dict(entry["headers"]).get("x-request-id") for entry in journal if "/crm/" in entry["path"]]
intents = {entry["entry_id"]: entry for entry in entries if entry["phase"] == "PHASE_INTENT"}
outcomes = {(entry["call_id"], entry["attempt"]): entry for entry in entries if entry["phase"] == "PHASE_OUTCOME"}

unrecorded = [name for name in received if name not in intents]
assert not unrecorded, f"{len(unrecorded)} requests reached HubSpot without an intent"
twice = len(received) - len(set(received))
assert not twice, f"{twice} requests were sent twice"
open_ = [entry for entry in intents.values() if (entry["call_id"], entry["attempt"]) not in outcomes]
assert not open_, f"{len(open_)} intents have no outcome"
unknown = [entry for entry in outcomes.values() if entry["result"] == "RESULT_UNKNOWN"]
assert not unknown, f"{len(unknown)} outcomes are not known"
positions = [event["position"] for event in events]
assert positions == list(range(positions[0], positions[0] + len(positions))), "the log has a gap"
updated = [entry for entry in outcomes.values() if entry["operation"] == "OPERATION_OBJECT_UPDATE"]
assert len(updated) == told, f"{len(updated)} writes were made, and callers were told of {told}"
print(f"    held: {len(received)} requests, each with its intent and outcome; {told} writes, each told to its caller")
