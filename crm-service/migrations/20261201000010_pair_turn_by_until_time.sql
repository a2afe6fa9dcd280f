-- Turns of lost processes are found by their time.
CREATE INDEX pair_turn_by_until_time ON pair_turn (until_time);
