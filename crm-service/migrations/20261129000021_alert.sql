-- Alerts, those that fire and those that are resolved. `change_number` is that of the last change: it only grows, in order of
-- commits. `portal_id` is 0 where entries belong to no portal. Times and windows are microseconds; `resolve_time` is 0 while it
-- fires.
CREATE TABLE alert (
    alert_id BIGINT NOT NULL PRIMARY KEY,
    change_number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    portal_id BIGINT NOT NULL,
    client_slug TEXT NOT NULL,
    subject TEXT NOT NULL,
    severity TEXT NOT NULL,
    counted BIGINT NOT NULL,
    threshold BIGINT NOT NULL,
    window_us BIGINT NOT NULL,
    fire_time BIGINT NOT NULL,
    resolve_time BIGINT NOT NULL,
    position BIGINT NOT NULL,
    call_id TEXT NOT NULL
);
CREATE INDEX alert_by_change ON alert (change_number);
CREATE INDEX alert_by_resolve_time ON alert (resolve_time);
