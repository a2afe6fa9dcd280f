-- Portals whose keys were destroyed here, and where the tombstone stands.
CREATE TABLE erased_portal (
    portal_id BIGINT NOT NULL PRIMARY KEY,
    destroyed_keys TEXT NOT NULL,
    tombstone TEXT NOT NULL
);
