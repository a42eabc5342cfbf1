-- Segment's schema: what it leaves to you. `users`, `accounts`, `tracks` and the tables of single events need no view.
-- https://www.twilio.com/docs/segment/connections/storage/warehouses/schema (read 2026-11-23)
-- Runs as it is on DuckDB, Snowflake and PostgreSQL.

-- Accounts, for workspaces without Segment's table `accounts`: the last group call of each group.
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
