-- In which spans of 1,024 positions a client has entries. Written once for each client and span, where an index over
-- client and position would write a page of its own for each client in each batch.
CREATE TABLE audit_client_span (
    client_slug TEXT NOT NULL,
    span BIGINT NOT NULL,
    PRIMARY KEY (client_slug, span)
);
INSERT INTO audit_client_span (client_slug, span)
    SELECT DISTINCT client_slug, position / 1024 FROM audit_entry;
