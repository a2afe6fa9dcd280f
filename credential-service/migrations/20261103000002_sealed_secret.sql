-- Where sealed secrets rest. What they are is known only to who can open them.
CREATE TABLE sealed_secret (
    secret_id TEXT NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL,
    create_time BIGINT NOT NULL
);
