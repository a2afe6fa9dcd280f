-- They end with their session.
CREATE INDEX session_secret_by_session ON session_secret (session_id, sequence);
