-- Connections that were begun: by a keyed hash of the state that the browser comes back with. Each row is taken once.
CREATE TABLE connection_attempt (
    state_mac BYTEA NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL,
    expire_time BIGINT NOT NULL
);
