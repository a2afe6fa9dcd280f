-- The logs of which nothing is pruned because an operator has said so.
CREATE TABLE audit_hold (
    log TEXT NOT NULL PRIMARY KEY,
    operator TEXT NOT NULL,
    reason TEXT NOT NULL,
    hold_time BIGINT NOT NULL
);
