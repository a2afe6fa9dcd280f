-- Calls of one day of a portal, by every replica of this deployment.
CREATE TABLE quota_day (
    portal_id BIGINT NOT NULL,
    end_time BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    PRIMARY KEY (portal_id, end_time)
);
