-- Handles. What one allows is sealed in claims; the other columns serve to find it and are checked against them.
CREATE TABLE handle (
    handle_id TEXT NOT NULL PRIMARY KEY,
    secret_mac BYTEA NOT NULL UNIQUE,
    portal_id BIGINT NOT NULL,
    client_slug TEXT NOT NULL,
    caller TEXT NOT NULL,
    expire_time BIGINT NOT NULL,
    claims BYTEA NOT NULL,
    revocation_seq BIGINT
);
CREATE INDEX handle_by_caller ON handle (portal_id, caller, handle_id);
CREATE INDEX handle_by_expire_time ON handle (expire_time);
