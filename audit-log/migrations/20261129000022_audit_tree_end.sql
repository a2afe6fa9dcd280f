-- The newest position whose entry is in its tree, in one row.
CREATE TABLE audit_tree_end (
    id BIGINT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
);
INSERT INTO audit_tree_end (id, position) VALUES (1, 0);
