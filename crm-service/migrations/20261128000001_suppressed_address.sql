-- Addresses of contacts that were erased, as keyed hashes: they are not written to that portal again.
CREATE TABLE suppressed_address (
    portal_id BIGINT NOT NULL,
    reference TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    PRIMARY KEY (portal_id, reference)
);
