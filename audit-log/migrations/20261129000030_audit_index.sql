-- Where the entries of a portal, a caller, an operation … lie: for each term, and each span of positions in which it occurs,
-- which of them. Level 0 has spans of 1,024 positions, level 1 spans of 65,536, into which full ones of level 0 are put.
CREATE TABLE audit_index (
    level BIGINT NOT NULL,
    term BIGINT NOT NULL,
    span BIGINT NOT NULL,
    places BYTEA NOT NULL,
    PRIMARY KEY (level, term, span)
);
