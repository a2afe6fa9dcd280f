-- How far the index has come, in one row: so many spans of level 0 are indexed, and what is of so many spans of level 1 is
-- there. `rules` says by which rules terms were made: an index by others is made anew.
CREATE TABLE audit_index_end (
    id BIGINT NOT NULL PRIMARY KEY,
    spans BIGINT NOT NULL,
    merged BIGINT NOT NULL,
    rules BIGINT NOT NULL
);
INSERT INTO audit_index_end (id, spans, merged, rules) VALUES (1, 0, 0, 1);
