-- Writes that callers may ask for again by their request id, and every write of which it is not known whether HubSpot
-- carried it out. `write_key` is a hash of portal, caller, request id and part; of a write without a request id, its call.
-- `asked_mac` is a keyed hash of the message. What was answered lies sealed, under the portal's own key; empty where nothing is.
-- `holder` is the process that makes it, until `until_time` at the latest. Times are microseconds since 1970.
CREATE TABLE write_call (
    write_key TEXT NOT NULL PRIMARY KEY,
    portal_id BIGINT NOT NULL,
    client_slug TEXT NOT NULL,
    caller TEXT NOT NULL,
    request_id TEXT NOT NULL,
    part BIGINT NOT NULL,
    call_id TEXT NOT NULL,
    operation BIGINT NOT NULL,
    object_type TEXT NOT NULL,
    asked_mac TEXT NOT NULL,
    state BIGINT NOT NULL,
    holder TEXT NOT NULL,
    begin_time BIGINT NOT NULL,
    until_time BIGINT NOT NULL,
    end_time BIGINT NOT NULL,
    settled_by TEXT NOT NULL,
    sealed_answer BYTEA NOT NULL
);
CREATE INDEX write_call_by_state ON write_call (state, begin_time);
CREATE INDEX write_call_by_portal ON write_call (portal_id, begin_time);
