-- Of a token that was replaced before this column came, the last rotation knows when.
UPDATE portal_credential SET token_time = COALESCE(
    (SELECT MAX(rotation.switch_time) FROM rotation WHERE rotation.credential_id = portal_credential.credential_id),
    onboard_time);
