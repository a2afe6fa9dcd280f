-- This service's own calls to HubSpot about apps of portals, of all its replicas: HubSpot counts them together. What counts no more
-- is taken out with the next call.
CREATE TABLE own_call (
    portal_id BIGINT NOT NULL,
    app_id BIGINT NOT NULL,
    call_time BIGINT NOT NULL,
    replica TEXT NOT NULL
);
CREATE INDEX own_call_by_app ON own_call (portal_id, app_id, call_time);
