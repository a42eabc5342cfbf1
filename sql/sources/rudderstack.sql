-- RudderStack's schema: what it leaves to you. Run these where its tables are (`personas init` finds the views then).
-- https://www.rudderstack.com/docs/destinations/warehouse-destinations/warehouse-schema/ (read 2026-11-23)
-- Runs as it is on DuckDB, Snowflake and PostgreSQL.

-- Accounts: `groups` has a line for every group call; the last one of each group says how it is now.
CREATE OR REPLACE VIEW personas_accounts AS
SELECT *
FROM (
  SELECT
    g.*,
    ROW_NUMBER() OVER (PARTITION BY g.group_id ORDER BY g.timestamp DESC, g.id DESC) AS personas_place
  FROM groups AS g
  WHERE g.group_id IS NOT NULL
) AS latest
WHERE personas_place = 1;

-- Users, where "Skip User Table" is on and there is no table of them: the last identify call of each.
CREATE OR REPLACE VIEW personas_users AS
SELECT *
FROM (
  SELECT
    i.*,
    ROW_NUMBER() OVER (PARTITION BY i.user_id ORDER BY i.timestamp DESC, i.id DESC) AS personas_place
  FROM identifies AS i
  WHERE i.user_id IS NOT NULL
) AS latest
WHERE personas_place = 1;
