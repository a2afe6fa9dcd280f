-- Which certificate took the place of which, as the old one's key said. What it says is sealed.
CREATE TABLE certificate_succession (
    thumbprint TEXT NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL,
    expire_time BIGINT NOT NULL
);
