-- Every checkpoint that was signed, one for each log and size. A row is here before anybody sees the note, and is never
-- changed.
CREATE TABLE audit_checkpoint (
    log TEXT NOT NULL,
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    note TEXT NOT NULL,
    made_time BIGINT NOT NULL,
    PRIMARY KEY (log, size)
);
