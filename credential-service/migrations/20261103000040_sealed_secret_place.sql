-- Where the sealed bytes rest, if not here: the store and the name there, "vault/<name>". Empty where they rest in `sealed`.
ALTER TABLE sealed_secret ADD COLUMN place TEXT NOT NULL DEFAULT '';
