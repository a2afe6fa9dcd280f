-- The tags by which a consumer names portals, sealed: they are an operator's own words about clients.
ALTER TABLE consumer ADD COLUMN tags BYTEA;
