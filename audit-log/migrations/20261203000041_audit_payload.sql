-- What lies sealed beside entries, which commit to it. A row comes with its entry, in one transaction; it goes when its time is
-- over, or when it is erased. `made_time` is that of the entry.
CREATE TABLE audit_payload (
    position BIGINT NOT NULL PRIMARY KEY,
    made_time BIGINT NOT NULL,
    sealed BYTEA NOT NULL
);
