-- Erasures of contacts that have happened, and after which what lies sealed beside audit entries about the contact is still to go.
CREATE TABLE payload_erasure (
    portal_id BIGINT NOT NULL,
    -- The call that erased.
    erasure TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    PRIMARY KEY (portal_id, erasure)
);
