-- Callers and people of whom something was said: which generation of their handles lives, and whether they are contained.
CREATE TABLE holder (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    generation BIGINT NOT NULL,
    contained_time BIGINT,
    contained_by TEXT,
    reason TEXT,
    PRIMARY KEY (kind, name)
);
