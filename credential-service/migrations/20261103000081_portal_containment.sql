-- Who contained a portal, when and why. That it is contained stands in the portal's own row, which is authenticated.
CREATE TABLE portal_containment (
    portal_id BIGINT NOT NULL PRIMARY KEY,
    contain_time BIGINT NOT NULL,
    contained_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    was_active BIGINT NOT NULL
);
