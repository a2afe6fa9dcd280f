-- The same table without UNIQUE (log, log_index). That an index is given once is held where it is given: the row of
-- audit_log_size moves from the one to the next in the entry's own transaction, or the transaction fails. The index over
-- the pair touched a page of its own for each portal in each batch.
CREATE TABLE audit_entry_once (
    position BIGINT NOT NULL PRIMARY KEY,
    log TEXT NOT NULL,
    log_index BIGINT NOT NULL,
    client_slug TEXT NOT NULL,
    caller TEXT NOT NULL,
    phase BIGINT NOT NULL,
    operation BIGINT NOT NULL,
    call_id TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    leaf BYTEA NOT NULL
);
INSERT INTO audit_entry_once
    (position, log, log_index, client_slug, caller, phase, operation, call_id, attempt, leaf)
    SELECT position, log, log_index, client_slug, caller, phase, operation, call_id, attempt, leaf
    FROM audit_entry ORDER BY position;
DROP TABLE audit_entry;
ALTER TABLE audit_entry_once RENAME TO audit_entry;
CREATE INDEX audit_entry_by_client ON audit_entry (client_slug, position);
CREATE INDEX audit_entry_by_call ON audit_entry (call_id, position);
