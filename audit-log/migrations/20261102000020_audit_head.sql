-- The newest state that the log has been told of what is kept elsewhere: a database that holds an older one was restored
-- from a backup. A head that is final is never passed.
CREATE TABLE audit_head (
    head_name TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    final BIGINT NOT NULL
);
