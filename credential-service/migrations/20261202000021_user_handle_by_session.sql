-- They end with their session.
CREATE INDEX user_handle_by_session ON user_handle (session_id, sequence);
