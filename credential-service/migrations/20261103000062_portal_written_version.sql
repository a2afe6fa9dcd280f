-- A replica from before rows were authenticated would write them without a mac, and the portals would be refused. It must
-- not find its columns: then it refuses to read and to write portals, and breaks nothing.
ALTER TABLE portal RENAME COLUMN store_version TO written_version;
