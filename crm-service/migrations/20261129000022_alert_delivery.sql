-- What is still to be told, and to whom: that an alert fires (`ordinal` 0), that it is resolved (1). The second waits for the
-- first. A row goes when it was told, or given up. Times are microseconds since 1970.
CREATE TABLE alert_delivery (
    alert_id BIGINT NOT NULL,
    receiver TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    since_time BIGINT NOT NULL,
    next_time BIGINT NOT NULL,
    PRIMARY KEY (alert_id, receiver, ordinal)
);
CREATE INDEX alert_delivery_by_time ON alert_delivery (receiver, next_time);
