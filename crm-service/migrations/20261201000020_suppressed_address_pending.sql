-- For which erasure an address was put on the list, while it is not known whether that happens; else empty.
ALTER TABLE suppressed_address ADD COLUMN pending_for TEXT NOT NULL DEFAULT '';
