-- Programs that have registered themselves (RFC 7591): `name` is what they call themselves, `redirect_uris` a JSON list of where
-- browsers may be sent back to. `use_time` is when somebody last consented to one, in microseconds since 1970; 0 where nobody has:
-- those go after a day.
CREATE TABLE oauth_client (
    client_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    redirect_uris TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    use_time BIGINT NOT NULL
);
CREATE INDEX oauth_client_by_use ON oauth_client (use_time, create_time);
