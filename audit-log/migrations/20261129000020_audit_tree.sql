-- The Merkle tree of each log: how many leaves were put into it, its root, and the size of its newest checkpoint.
-- `moved_time` (microseconds since 1970) is when it first outgrew that checkpoint.
CREATE TABLE audit_tree (
    log TEXT NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    signed_size BIGINT NOT NULL,
    moved_time BIGINT NOT NULL
);
