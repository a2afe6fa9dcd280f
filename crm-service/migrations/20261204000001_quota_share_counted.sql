-- How many of a replica's calls counted of late, at most: what HubSpot counts beyond those of all replicas is somebody else's. -1 where
-- that is not told, as of versions that do not know of it. And how many such calls it has told of that may still count: they are told
-- once, by whichever replica saw them first.
ALTER TABLE quota_share ADD COLUMN counted BIGINT NOT NULL DEFAULT -1;
ALTER TABLE quota_share ADD COLUMN unexplained BIGINT NOT NULL DEFAULT 0;
