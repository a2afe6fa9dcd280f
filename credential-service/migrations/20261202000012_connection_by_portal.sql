-- An erased portal takes its connections along.
CREATE INDEX connection_by_portal ON connection (portal_id);
