-- The access tokens of users' clients. What one is lies sealed in claims; the other columns serve to find it, and are checked
-- against them. From its first redemption on it has a row in `handle` too, under the same id.
CREATE TABLE user_handle (
    handle_id TEXT NOT NULL PRIMARY KEY,
    secret_mac BYTEA NOT NULL UNIQUE,
    -- The session that it came of, and which of its tokens this is.
    session_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    expire_time BIGINT NOT NULL,
    -- When it was first used; 0 if it was not.
    used_time BIGINT NOT NULL,
    -- When it was ended before its time; 0 if it was not.
    end_time BIGINT NOT NULL,
    claims BYTEA NOT NULL
);
