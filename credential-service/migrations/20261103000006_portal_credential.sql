-- The credentials of portals, each with what its token may do; scopes are separated by spaces. A credential keeps its id
-- and name when its token is replaced, and takes the portal's next version. The columns about a token in `portal` are
-- written at onboarding for older replicas, and read by nobody else.
CREATE TABLE portal_credential (
    credential_id TEXT NOT NULL PRIMARY KEY,
    portal_id BIGINT NOT NULL,
    credential_name TEXT NOT NULL,
    credential_kind TEXT NOT NULL,
    scopes TEXT NOT NULL,
    credential_version BIGINT NOT NULL,
    token_fingerprint TEXT NOT NULL,
    onboard_time BIGINT NOT NULL,
    verify_time BIGINT NOT NULL,
    UNIQUE (portal_id, credential_name),
    UNIQUE (portal_id, credential_version)
);
-- What there is becomes each portal's first credential. Its id is made of the portal's id: a UUID of version 7 and of
-- the time 0, which sorts before all later ones.
INSERT INTO portal_credential (credential_id, portal_id, credential_name, credential_kind, scopes, credential_version,
    token_fingerprint, onboard_time, verify_time)
SELECT '000000' || SUBSTR(padded, 1, 2) || '-0000-7' || SUBSTR(padded, 3, 3) || '-8' || SUBSTR(padded, 6, 3) || '-'
    || SUBSTR(padded, 9, 12), portal_id, 'default', credential_kind, scopes, credential_version, token_fingerprint,
    onboard_time, verify_time
FROM (
    SELECT SUBSTR('00000000000000000000' || CAST(portal_id AS TEXT), LENGTH(CAST(portal_id AS TEXT)) + 1) AS padded,
        portal_id, credential_kind, scopes, credential_version, token_fingerprint, onboard_time, verify_time
    FROM portal
) AS onboarded;
