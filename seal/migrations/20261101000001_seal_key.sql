-- One key for each owner and purpose, wrapped by the key-encryption key that kek_id names.
CREATE TABLE seal_key (
    key_id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    purpose TEXT NOT NULL,
    kek_id TEXT NOT NULL,
    wrapped BYTEA NOT NULL,
    commitment BYTEA NOT NULL,
    create_time BIGINT NOT NULL,
    UNIQUE (owner, purpose)
);
