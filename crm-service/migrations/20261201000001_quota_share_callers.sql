-- What each caller could use of a limit through a replica, as JSON: [{"class": "person" | "usual" | "batch", "caller": its name, or
-- empty for several together, "weight": …, "wanted": places}]. A row of an older version says nothing of it.
ALTER TABLE quota_share ADD COLUMN callers TEXT NOT NULL DEFAULT '[]';
