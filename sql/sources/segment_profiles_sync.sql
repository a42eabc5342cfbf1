-- Segment's Profiles Sync, with the tables that Segment materializes: `user_traits` (a line per profile and trait),
-- `user_identifiers` (a line per profile and identifier), `profile_merges` (which profile became which).
-- https://www.twilio.com/docs/segment/unify/profiles-sync/tables (read 2026-11-23)
-- Runs as it is on DuckDB, Snowflake and PostgreSQL. Members are canonical profiles: their id is Segment's.

-- Users: a line per profile. Name the traits that you use; the identifiers that are sent to destinations come along.
CREATE OR REPLACE VIEW personas_users AS
SELECT
  p.canonical_segment_id AS user_id,
  MAX(CASE WHEN t.name = 'email' THEN t.value END) AS email,
  MAX(CASE WHEN t.name = 'first_name' THEN t.value END) AS first_name,
  MAX(CASE WHEN t.name = 'plan' THEN t.value END) AS plan
FROM (SELECT DISTINCT canonical_segment_id FROM profile_merges) AS p
LEFT JOIN user_traits AS t
  ON t.canonical_segment_id = p.canonical_segment_id
GROUP BY p.canonical_segment_id;

-- Which identifier is whose: anonymous ids among them, which resolve events.
CREATE OR REPLACE VIEW personas_identities AS
SELECT
  canonical_segment_id AS user_id,
  type AS id_type,
  value AS id_value,
  timestamp AS first_seen_at
FROM user_identifiers;

-- Events: those of `tracks` with the profile that theirs became.
CREATE OR REPLACE VIEW personas_events AS
SELECT
  e.*,
  COALESCE(m.canonical_segment_id, e.segment_id) AS profile_id
FROM tracks AS e
LEFT JOIN profile_merges AS m
  ON m.segment_id = e.segment_id;
