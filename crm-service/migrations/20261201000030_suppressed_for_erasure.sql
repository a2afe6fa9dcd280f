-- Addresses that are on the list for an erasure of which it is not known yet whether it happens: a row for each erasure, so that
-- one takes away only its own. What is there for good is in `suppressed_address`.
CREATE TABLE suppressed_for_erasure (
    portal_id BIGINT NOT NULL,
    reference TEXT NOT NULL,
    erasure TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    PRIMARY KEY (portal_id, reference, erasure)
);
