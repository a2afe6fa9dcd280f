-- Erased portals: where each service's log holds the tombstone, and the certificate when both have one.
CREATE TABLE portal_erasure (
    portal_id BIGINT NOT NULL PRIMARY KEY,
    client_slug TEXT NOT NULL,
    portal_generation BIGINT NOT NULL,
    store_version BIGINT NOT NULL,
    erase_time BIGINT NOT NULL,
    own_keys TEXT NOT NULL,
    own_tombstone TEXT NOT NULL,
    crm_tombstone TEXT NOT NULL,
    certificate TEXT NOT NULL
);
