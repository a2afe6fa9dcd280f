-- What the leaves of the log of heads name: of each log a row for each leaf in which its line is another than in the one before. The
-- lines of a leaf are, of each log, the newest row up to it.
CREATE TABLE audit_heads_line (
    log TEXT NOT NULL,
    heads_index BIGINT NOT NULL,
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    PRIMARY KEY (log, heads_index)
);
