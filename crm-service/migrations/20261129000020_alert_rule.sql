-- What operators have put for portals in place of the deployment's rules. `send_to` is a list with commas. Times and windows
-- are microseconds.
CREATE TABLE alert_rule (
    portal_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    client_slug TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    threshold BIGINT NOT NULL,
    window_us BIGINT NOT NULL,
    severity TEXT NOT NULL,
    send_to TEXT NOT NULL,
    put_by TEXT NOT NULL,
    put_time BIGINT NOT NULL,
    PRIMARY KEY (portal_id, kind)
);
