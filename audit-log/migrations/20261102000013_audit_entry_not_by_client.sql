-- audit_client_span and audit_entry_by_span take its place.
DROP INDEX audit_entry_by_client;
