-- What users have consented to, for each client.
CREATE TABLE client_consent (
    user_name TEXT NOT NULL,
    client_id TEXT NOT NULL,
    consent_time BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (user_name, client_id)
);
