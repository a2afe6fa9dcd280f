-- Which checkpoints are newer than the heads.
CREATE INDEX audit_checkpoint_by_time ON audit_checkpoint (made_time);
