-- The Ed25519 key with which the service signs, sealed. One row.
CREATE TABLE signing_key (
    key_id BIGINT NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL,
    create_time BIGINT NOT NULL
);
