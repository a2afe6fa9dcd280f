-- Grants and people, and what is left of those that were deleted: sealed whole, with kind, id and revision.
CREATE TABLE access_record (
    kind TEXT NOT NULL,
    record_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (kind, record_id)
);
