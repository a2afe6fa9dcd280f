-- What each consumer has to do for a rotation. A task gets another delivery_id when it is given anew. One without
-- next_tell_time is not told by webhook, or was.
CREATE TABLE rotation_task (
    rotation_id TEXT NOT NULL,
    consumer_name TEXT NOT NULL,
    delivery_id TEXT NOT NULL,
    due_time BIGINT NOT NULL,
    told_time BIGINT,
    next_tell_time BIGINT,
    failed_deliveries BIGINT NOT NULL,
    last_failure TEXT NOT NULL,
    acknowledge_time BIGINT,
    acknowledged_store_version BIGINT,
    PRIMARY KEY (rotation_id, consumer_name)
);
CREATE INDEX rotation_task_by_consumer ON rotation_task (consumer_name, rotation_id);
CREATE INDEX rotation_task_by_next_tell_time ON rotation_task (next_tell_time);
