-- Calls that were reserved by a handle, to be made later. What one allows is sealed in claims. `lineage` names the handle and
-- those it was narrowed from, each between slashes: whoever ends one of them voids the reservation.
CREATE TABLE reservation (
    reservation_id TEXT NOT NULL PRIMARY KEY,
    portal_id BIGINT NOT NULL,
    client_slug TEXT NOT NULL,
    lineage TEXT NOT NULL,
    expire_time BIGINT NOT NULL,
    claims BYTEA NOT NULL,
    used_time BIGINT,
    void_seq BIGINT
);
CREATE INDEX reservation_by_expire_time ON reservation (expire_time);
