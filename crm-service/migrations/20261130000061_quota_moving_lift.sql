-- How often an operator has said that a portal is not moved although HubSpot had said so: what was heard before counts no more, and
-- whoever has not heard of it tells nobody. The slug is that of the portal, for operators; empty where an older version has told it.
ALTER TABLE quota_moving ADD COLUMN lifts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE quota_moving ADD COLUMN client_slug TEXT NOT NULL DEFAULT '';
