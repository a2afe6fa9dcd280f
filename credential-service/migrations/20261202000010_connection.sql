-- HubSpot accounts that users have connected. Who it is, and how far the token reaches, lies sealed; the other columns serve to
-- find it, and are checked against what is sealed. The tokens lie in the vault under the portal and `version`.
CREATE TABLE connection (
    connection_id TEXT NOT NULL PRIMARY KEY,
    user_name TEXT NOT NULL,
    portal_id BIGINT NOT NULL,
    client_slug TEXT NOT NULL,
    -- When it was connected: no version of the portal's own credentials comes near.
    version BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    -- When it was ended here; 0 while it serves.
    end_time BIGINT NOT NULL,
    -- When HubSpot was told to refuse its refresh token; 0 if it was not.
    revoke_time BIGINT NOT NULL,
    -- Until when an access token of it may live, as of its end.
    access_end_time BIGINT NOT NULL
);
