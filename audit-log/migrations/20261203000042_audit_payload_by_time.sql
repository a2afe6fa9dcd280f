-- What is due to go is what is oldest.
CREATE INDEX audit_payload_by_time ON audit_payload (made_time);
