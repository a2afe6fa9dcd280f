-- The places that the heads are anchored in, and how far: `size` of the checkpoint that was put there last, 0 for none.
-- What was anchored before `since_time`, when the place was first named, is not asked of it. `forked_size` is the size at
-- which something else was found there, 0 for none.
CREATE TABLE audit_anchor (
    place TEXT NOT NULL PRIMARY KEY,
    since_time BIGINT NOT NULL,
    size BIGINT NOT NULL,
    anchored_time BIGINT NOT NULL,
    next_time BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    noted_time BIGINT NOT NULL,
    forked_size BIGINT NOT NULL
);
