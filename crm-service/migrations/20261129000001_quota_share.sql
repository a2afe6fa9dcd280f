-- Which replicas live, and how many places of each limit of a portal each of them holds.
CREATE TABLE quota_replica (
    replica TEXT NOT NULL PRIMARY KEY,
    lease_until BIGINT NOT NULL
);
CREATE TABLE quota_share (
    portal_id BIGINT NOT NULL,
    bucket TEXT NOT NULL,
    replica TEXT NOT NULL,
    places BIGINT NOT NULL,
    wanted BIGINT NOT NULL,
    whole BIGINT NOT NULL,
    interval_us BIGINT NOT NULL,
    PRIMARY KEY (portal_id, bucket, replica)
);
