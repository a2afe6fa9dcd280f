-- Owners whose keys were destroyed. None is ever made for them again.
CREATE TABLE seal_destroyed (
    owner TEXT NOT NULL PRIMARY KEY,
    destroy_time BIGINT NOT NULL
);
