-- The person on whose behalf the caller of an alert asked, as entries have it; empty where nobody was named, and of alerts that are
-- older than this.
ALTER TABLE alert ADD COLUMN actor_ref TEXT NOT NULL DEFAULT '';
