-- Portals as HubSpot described them. Scopes are separated by spaces.
CREATE TABLE portal (
    client_slug TEXT NOT NULL PRIMARY KEY,
    portal_id BIGINT NOT NULL UNIQUE,
    account_type TEXT NOT NULL,
    data_hosting_location TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    company_currency TEXT NOT NULL,
    scopes TEXT NOT NULL,
    credential_kind TEXT NOT NULL,
    credential_version BIGINT NOT NULL,
    portal_generation BIGINT NOT NULL,
    token_fingerprint TEXT NOT NULL,
    onboard_time BIGINT NOT NULL,
    verify_time BIGINT NOT NULL
);
