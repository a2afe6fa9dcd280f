-- What was written for replicas from before portals had several credentials, and read by nobody since.
ALTER TABLE portal DROP COLUMN scopes;
ALTER TABLE portal DROP COLUMN credential_kind;
ALTER TABLE portal DROP COLUMN token_fingerprint;
