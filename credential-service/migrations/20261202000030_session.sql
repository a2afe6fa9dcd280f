-- Sessions of people who have signed in, and what came of each code of a client. Whose it is lies sealed; the other columns
-- serve to find it, and are checked against what is sealed.
CREATE TABLE session (
    session_id TEXT NOT NULL PRIMARY KEY,
    -- "browser" or "client".
    kind TEXT NOT NULL,
    user_name TEXT NOT NULL,
    -- The client; empty of a browser's.
    client_id TEXT NOT NULL,
    open_time BIGINT NOT NULL,
    -- The newest of its tokens; 0 while there is but a code.
    sequence BIGINT NOT NULL,
    -- When it was ended before its time; 0 if it was not.
    end_time BIGINT NOT NULL,
    sealed BYTEA NOT NULL
);
