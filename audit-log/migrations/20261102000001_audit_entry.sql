-- Every entry of every log of this service. `leaf` is the entry as it is kept for ever; the columns before it repeat
-- what readers ask by.
CREATE TABLE audit_entry (
    position BIGINT NOT NULL PRIMARY KEY,
    log TEXT NOT NULL,
    log_index BIGINT NOT NULL,
    client_slug TEXT NOT NULL,
    caller TEXT NOT NULL,
    phase BIGINT NOT NULL,
    operation BIGINT NOT NULL,
    call_id TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    leaf BYTEA NOT NULL,
    UNIQUE (log, log_index)
);
CREATE INDEX audit_entry_by_client ON audit_entry (client_slug, position);
CREATE INDEX audit_entry_by_call ON audit_entry (call_id, position);
