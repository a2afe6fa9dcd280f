-- When payloads were removed because their time was over: all that were made before `before_time`.
CREATE TABLE audit_payload_swept (
    before_time BIGINT NOT NULL PRIMARY KEY,
    swept_time BIGINT NOT NULL
);
