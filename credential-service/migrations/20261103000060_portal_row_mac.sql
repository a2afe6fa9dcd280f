-- What authenticates a portal's row together with those of its credentials. Missing in rows from before there was a key
-- for it: they are given theirs once, when that key is made.
ALTER TABLE portal ADD COLUMN row_mac BYTEA;
