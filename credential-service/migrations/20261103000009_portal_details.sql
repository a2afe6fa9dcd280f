-- What reports need to know of a portal's client, sealed: it names people.
ALTER TABLE portal ADD COLUMN details BYTEA;
