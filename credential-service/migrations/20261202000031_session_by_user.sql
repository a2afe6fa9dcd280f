-- Whoever reviews what is open looks by user.
CREATE INDEX session_by_user ON session (user_name, client_id, session_id);
