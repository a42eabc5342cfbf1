WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS DATETIME) AS as_of
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events AS e
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp > DATETIME_SUB((SELECT as_of FROM moment), INTERVAL 90 DAY)
    AND e.timestamp <= DATETIME_SUB((SELECT as_of FROM moment), INTERVAL 30 DAY)
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) >= 2

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events AS e
  WHERE
    e.event = @p2 AND e.timestamp > @p3 AND e.timestamp <= @p4
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) >= @p1

-- with:
-- {'p1': 2, 'p2': 'Order Completed', 'p3': datetime.datetime(2025, 12, 31, 12, 0), 'p4': datetime.datetime(2026, 3, 1, 12, 0)}
