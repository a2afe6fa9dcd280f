-- The tiles of each tree, as C2SP tlog-tiles cuts them: up to 256 hashes of 32 bytes, of height 8. The last of a level
-- grows until it is full.
CREATE TABLE audit_tile (
    log TEXT NOT NULL,
    level BIGINT NOT NULL,
    number BIGINT NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (log, level, number)
);
