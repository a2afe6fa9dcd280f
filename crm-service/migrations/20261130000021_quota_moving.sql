-- Until when HubSpot moves a portal between data centres, as it has last said: microseconds since 1970.
CREATE TABLE quota_moving (
    portal_id BIGINT NOT NULL PRIMARY KEY,
    until_time BIGINT NOT NULL
);
