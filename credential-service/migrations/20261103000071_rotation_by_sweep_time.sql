-- What is to be swept is looked for again and again.
CREATE INDEX rotation_by_sweep_time ON rotation (sweep_time);
