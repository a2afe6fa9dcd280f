-- What must not be served from memory any more, in the order in which it was committed.
CREATE TABLE revocation (
    seq BIGINT NOT NULL PRIMARY KEY,
    revoke_time BIGINT NOT NULL,
    scope TEXT NOT NULL,
    subject TEXT NOT NULL,
    number BIGINT NOT NULL
);
-- One row. It is updated, and so locked, by the transaction that revokes: seq is dense and in order of commits.
CREATE TABLE revocation_counter (
    counter_id BIGINT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL
);
INSERT INTO revocation_counter (counter_id, seq) VALUES (1, 0);
