-- The handles that were given for a connection: they end with it.
CREATE TABLE connection_handle (
    connection_id TEXT NOT NULL,
    handle_id TEXT NOT NULL,
    expire_time BIGINT NOT NULL,
    PRIMARY KEY (connection_id, handle_id)
);
