-- The secrets of sessions: each is looked up by a keyed hash, and `seal` is a keyed hash of all that the row says for good, so
-- that none can be moved to another session.
CREATE TABLE session_secret (
    secret_mac BYTEA NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL,
    -- "session", "refresh" or "code".
    kind TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    expire_time BIGINT NOT NULL,
    seal BYTEA NOT NULL,
    -- 0: not used; 1: used; 2: used, and once more because the answer was lost, or given up with what it belonged to.
    state BIGINT NOT NULL
);
