-- One row: the latest time that judged an expiry. A clock that is set back revives no handle.
CREATE TABLE seen_time (
    seen_id BIGINT NOT NULL PRIMARY KEY,
    seen_time BIGINT NOT NULL
);
INSERT INTO seen_time (seen_id, seen_time) VALUES (1, 0);
