-- Processes that may have made calls of a day that are not in quota_day yet: one that stops has kept all, and has no row any more.
CREATE TABLE quota_process (
    process TEXT NOT NULL PRIMARY KEY,
    keeps BIGINT NOT NULL,
    kept_time BIGINT NOT NULL
);
