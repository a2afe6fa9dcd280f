-- Logs of erased portals: nothing that lay beside their entries is left.
CREATE TABLE audit_payload_log (
    log TEXT NOT NULL PRIMARY KEY,
    erased_time BIGINT NOT NULL
);
