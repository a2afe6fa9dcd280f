-- When the token came into the vault: onboard_time stays when the token is replaced.
ALTER TABLE portal_credential ADD COLUMN token_time BIGINT NOT NULL DEFAULT 0;
