-- What somebody has consented to and is to sign in for: `flow` is the hash of what their browser holds, `asked` the request as JSON.
-- It is used once, within ten minutes.
CREATE TABLE oauth_flow (
    flow TEXT NOT NULL PRIMARY KEY,
    asked TEXT NOT NULL,
    create_time BIGINT NOT NULL
);
CREATE INDEX oauth_flow_by_create_time ON oauth_flow (create_time);
