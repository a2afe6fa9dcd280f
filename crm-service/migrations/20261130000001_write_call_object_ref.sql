-- The record that a write of unknown outcome was about, as entries of the audit log refer to it; empty where there is none.
ALTER TABLE write_call ADD COLUMN object_ref TEXT NOT NULL DEFAULT '';
