-- What was last said of a caller is looked up for each act of its.
CREATE INDEX revocation_by_held_caller ON revocation (subject, seq) WHERE scope = 'caller-hold';
