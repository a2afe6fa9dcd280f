-- The leaves of the log of heads. `lines` names all logs with size and root; it is kept of the newest leaf only.
CREATE TABLE audit_heads (
    heads_index BIGINT NOT NULL PRIMARY KEY,
    leaf BYTEA NOT NULL,
    lines BYTEA NOT NULL,
    made_time BIGINT NOT NULL
);
