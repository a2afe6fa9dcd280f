-- When the entries of each span of 1,024 positions were made, the earliest and the latest, in microseconds since 1970.
CREATE TABLE audit_index_span (
    span BIGINT NOT NULL PRIMARY KEY,
    first_time BIGINT NOT NULL,
    last_time BIGINT NOT NULL
);
