-- One row: moved by every change of a grant or a person, and held by the transaction that makes it. Who keeps all of them
-- in memory reads it with each question.
CREATE TABLE access_version (
    counter_id BIGINT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO access_version (counter_id, version) VALUES (1, 0);
