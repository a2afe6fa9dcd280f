-- Whether a portal is served, and the store version at which it was last written.
ALTER TABLE portal ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
ALTER TABLE portal ADD COLUMN state_time BIGINT NOT NULL DEFAULT 0;
ALTER TABLE portal ADD COLUMN store_version BIGINT NOT NULL DEFAULT 0;
