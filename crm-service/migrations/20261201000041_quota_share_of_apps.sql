-- Ten seconds' calls are shared for each app: bucket "burst/" and the app's name, and nothing after it for the app of a portal's
-- first credential. A row "burst" is of a version that knows of no apps, and may be used up by any of them; or, where this is 1, the
-- sum of a newer version's rows, which is written for those only.
ALTER TABLE quota_share ADD COLUMN is_sum BIGINT NOT NULL DEFAULT 0;
