-- How a task ended that nobody acknowledged: ended_as is 'superseded' (a later rotation took the place of its own) or
-- 'dropped' (an operator said why). One without end_time is open until it is acknowledged.
ALTER TABLE rotation_task ADD COLUMN end_time BIGINT;
ALTER TABLE rotation_task ADD COLUMN ended_as TEXT NOT NULL DEFAULT '';
ALTER TABLE rotation_task ADD COLUMN ended_by TEXT NOT NULL DEFAULT '';
ALTER TABLE rotation_task ADD COLUMN end_reason TEXT NOT NULL DEFAULT '';
