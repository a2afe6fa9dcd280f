-- What the refresh tokens of OAuth consents have given: one row for each, named as the refresh token is in the vault.
-- `sealed` holds the access token, the refresh token that asks for the next one, and when the access token ends.
CREATE TABLE access_token (
    secret_id TEXT NOT NULL PRIMARY KEY,
    portal_id BIGINT NOT NULL,
    credential_version BIGINT NOT NULL,
    -- Moves each time that `sealed` is written.
    sequence BIGINT NOT NULL,
    sealed BYTEA,
    -- From here on a new one is asked for.
    renew_time BIGINT NOT NULL,
    -- A replica asks, and until then no other does.
    claimed_until BIGINT NOT NULL,
    -- How often in a row HubSpot gave none, the reason of the last time, and when it may be asked again.
    failures BIGINT NOT NULL,
    failure TEXT NOT NULL,
    retry_time BIGINT NOT NULL,
    -- When HubSpot refused the refresh token for good; 0 if it did not.
    lost_time BIGINT NOT NULL
);
CREATE INDEX access_token_portal ON access_token (portal_id);
