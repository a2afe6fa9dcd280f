-- How far the log was evaluated, by whom, and the number of the last change of an alert: one row. The lease is told by the
-- database's clock, and only on PostgreSQL: a SQLite file has one process.
CREATE TABLE alert_evaluation (
    id BIGINT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    last_change BIGINT NOT NULL,
    holder TEXT NOT NULL,
    lease_until BIGINT NOT NULL
);
