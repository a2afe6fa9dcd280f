-- Who runs on tokens of portals: slugs are separated by spaces. Address and secret of a webhook are sealed together.
CREATE TABLE consumer (
    consumer_name TEXT NOT NULL PRIMARY KEY,
    client_slugs TEXT NOT NULL,
    webhook BYTEA,
    deadline_micros BIGINT NOT NULL,
    register_time BIGINT NOT NULL
);
