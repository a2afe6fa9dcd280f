-- When the sealed tokens that a rotation has left behind were taken out of the vault; NULL where that is still to be done.
ALTER TABLE rotation ADD COLUMN sweep_time BIGINT;
