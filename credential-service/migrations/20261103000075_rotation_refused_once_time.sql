-- When HubSpot refused the token that a rotation took out of force, where it was asked only once since; NULL otherwise.
ALTER TABLE rotation ADD COLUMN refused_once_time BIGINT;
