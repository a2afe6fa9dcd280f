-- Processes that redeem handles and follow the feed: how far each has applied it. `beat` moves whenever one was heard;
-- last_beat_time serves only to tell rows of long ago.
CREATE TABLE redeemer (
    redeemer_id TEXT NOT NULL PRIMARY KEY,
    redeemer_name TEXT NOT NULL,
    applied_seq BIGINT NOT NULL,
    beat BIGINT NOT NULL,
    last_beat_time BIGINT NOT NULL
);
