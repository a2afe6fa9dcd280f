-- Calls by a portal's token that nobody here has made.
CREATE TABLE quota_unaccounted (
    portal_id BIGINT NOT NULL PRIMARY KEY,
    calls BIGINT NOT NULL,
    since_time BIGINT NOT NULL,
    last_seen_time BIGINT NOT NULL,
    noted_time BIGINT NOT NULL
);
