-- One row: moved by every write to the vault, and held by the transaction that writes.
CREATE TABLE store_version (
    counter_id BIGINT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO store_version (counter_id, version) VALUES (1, 0);
