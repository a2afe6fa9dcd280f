-- Which version of the key-encryption key wrapped the key. Those before there were versions are of the first.
ALTER TABLE seal_key ADD COLUMN kek_version BIGINT NOT NULL DEFAULT 1;
