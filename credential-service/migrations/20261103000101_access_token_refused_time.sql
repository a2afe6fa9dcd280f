-- When a new access token was last asked for because a redeemer had said that HubSpot refuses the one in force; 0 if never.
ALTER TABLE access_token ADD COLUMN refused_time BIGINT NOT NULL DEFAULT 0;
