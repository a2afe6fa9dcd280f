-- The slugs that stood in pruned entries of a portal's log: whoever asks by one of them is told that something is gone.
CREATE TABLE audit_pruned_client (
    client_slug TEXT NOT NULL,
    log TEXT NOT NULL,
    PRIMARY KEY (client_slug, log)
);
