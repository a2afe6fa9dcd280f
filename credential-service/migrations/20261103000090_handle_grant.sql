-- The grant under which a handle was issued. Handles of before it was kept have none, and are refused.
ALTER TABLE handle ADD COLUMN grant_id TEXT;
