-- Tokens put in the place of others. old_token and new_token are what HubSpot said of each when it was last asked; a
-- rotation without next_probe_time is not asked about any more.
CREATE TABLE rotation (
    rotation_id TEXT NOT NULL PRIMARY KEY,
    portal_id BIGINT NOT NULL,
    client_slug TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    credential_name TEXT NOT NULL,
    standing TEXT NOT NULL,
    old_version BIGINT NOT NULL,
    new_version BIGINT NOT NULL,
    credential_version BIGINT NOT NULL,
    old_fingerprint TEXT NOT NULL,
    new_fingerprint TEXT NOT NULL,
    old_token TEXT NOT NULL,
    new_token TEXT NOT NULL,
    lost_scopes TEXT NOT NULL,
    store_version BIGINT NOT NULL,
    rotated_by TEXT NOT NULL,
    switch_time BIGINT NOT NULL,
    probe_time BIGINT,
    next_probe_time BIGINT,
    end_reason TEXT NOT NULL,
    ended_by TEXT NOT NULL,
    end_time BIGINT
);
CREATE INDEX rotation_by_credential ON rotation (credential_id, credential_version);
CREATE INDEX rotation_by_next_probe_time ON rotation (next_probe_time);
