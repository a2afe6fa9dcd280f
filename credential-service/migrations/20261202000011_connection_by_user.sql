-- A user has one connection to a portal.
CREATE UNIQUE INDEX connection_by_user ON connection (user_name, portal_id) WHERE end_time = 0;
