CREATE INDEX handle_by_grant ON handle (grant_id, expire_time);
