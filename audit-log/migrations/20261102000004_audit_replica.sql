-- The replicas that write this log, each with its lease: whose `seen_time` (microseconds since 1970, by the database's
-- clock) is too old is taken for lost, its row removed and its intents closed. `session` counts its connections: what
-- an earlier one left under way writes nothing any more. A log in a file has one writer, and no rows here.
CREATE TABLE audit_replica (
    replica_id TEXT NOT NULL PRIMARY KEY,
    session BIGINT NOT NULL,
    seen_time BIGINT NOT NULL
);
