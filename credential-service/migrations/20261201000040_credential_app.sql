-- HubSpot's id of the app that a credential's token belongs to, as HubSpot said when the credential had this version. It is not
-- authenticated: whoever alters it can have calls counted for another app, and nothing else.
CREATE TABLE credential_app (
    credential_id TEXT NOT NULL PRIMARY KEY,
    portal_id BIGINT NOT NULL,
    credential_version BIGINT NOT NULL,
    app_id BIGINT NOT NULL
);
