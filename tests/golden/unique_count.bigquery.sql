WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS DATETIME) AS as_of
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), unique_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.colour) AS value
  FROM events AS e
  WHERE
    e.event = 'Order Completed' AND e.timestamp <= (SELECT as_of FROM moment)
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id,
  COALESCE(unique_1.value, 0) AS value
FROM users_now
LEFT JOIN unique_1
  ON unique_1.user_id = users_now.user_id

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), unique_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.colour) AS value
  FROM events AS e
  WHERE
    e.event = @p1 AND e.timestamp <= @p2
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id,
  COALESCE(unique_1.value, 0) AS value
FROM users_now
LEFT JOIN unique_1
  ON unique_1.user_id = users_now.user_id

-- with:
-- {'p1': 'Order Completed', 'p2': datetime.datetime(2026, 3, 31, 12, 0)}
