-- The logs of which entries are gone because they were older than entries are kept: all with an index below `first_index`. Of
-- such a log there is nothing from `from_position` to `to_position`. `newest_time` is when the newest of them was made,
-- `pruned_time` when the last of them went; microseconds since 1970.
CREATE TABLE audit_pruned (
    log TEXT NOT NULL PRIMARY KEY,
    first_index BIGINT NOT NULL,
    from_position BIGINT NOT NULL,
    to_position BIGINT NOT NULL,
    newest_time BIGINT NOT NULL,
    pruned_time BIGINT NOT NULL
);
