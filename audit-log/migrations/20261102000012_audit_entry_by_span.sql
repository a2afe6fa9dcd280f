-- A client's entries inside a span: new ones fall on the few pages of the newest span, whosever they are.
CREATE INDEX audit_entry_by_span ON audit_entry ((position / 1024), client_slug, position);
