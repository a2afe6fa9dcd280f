-- The number of entries in each log: the index that its next entry gets.
CREATE TABLE audit_log_size (
    log TEXT NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL
);
-- The newest position, in one row. Whoever writes locks it until the commit, so that positions become visible in order.
CREATE TABLE audit_position (
    id BIGINT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
);
INSERT INTO audit_position (id, position) VALUES (1, 0);
