-- Payloads that were erased, and the entry that says by whom.
CREATE TABLE audit_payload_erased (
    position BIGINT NOT NULL PRIMARY KEY,
    erased_time BIGINT NOT NULL,
    erased_position BIGINT NOT NULL
);
