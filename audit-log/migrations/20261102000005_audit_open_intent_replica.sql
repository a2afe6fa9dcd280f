-- The replica that wrote the intent, where several may write.
ALTER TABLE audit_open_intent ADD COLUMN replica TEXT;
