-- A keyed hash of the limits by pipeline and owner under which a write is made, by which a result that an operator has told is
-- given to no caller with other limits; empty where it is not known.
ALTER TABLE write_call ADD COLUMN bounds_mac TEXT NOT NULL DEFAULT '';
