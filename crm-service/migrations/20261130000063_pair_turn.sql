-- Whose turn it is to change what two records are to each other, where several processes share this database: `pair` is a hash of
-- the portal's slug and both records, `holder` the turn. Nobody else takes the pair before `until_time`, by the database's clock in
-- microseconds since 1970: then whoever held it is lost.
CREATE TABLE pair_turn (
    pair TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    until_time BIGINT NOT NULL
);
CREATE INDEX pair_turn_by_holder ON pair_turn (holder);
