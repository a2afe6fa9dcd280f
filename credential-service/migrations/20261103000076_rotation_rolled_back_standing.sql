-- A rotation that was rolled back stays so, whatever came later: only by one did another version come in force.
UPDATE rotation SET standing = 'rolled-back'
WHERE standing IN ('superseded', 'closed') AND credential_version <> new_version;
