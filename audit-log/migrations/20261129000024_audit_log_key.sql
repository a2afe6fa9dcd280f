-- The public half of every key that has signed checkpoints of this service.
CREATE TABLE audit_log_key (
    verifier_key TEXT NOT NULL PRIMARY KEY,
    first_time BIGINT NOT NULL
);
