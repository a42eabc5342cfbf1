WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS DATETIME) AS as_of
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), avg_1 AS (
  SELECT
    e.user_id AS user_id,
    AVG(CAST(e.amount AS FLOAT64)) AS value
  FROM events AS e
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp > DATETIME_SUB((SELECT as_of FROM moment), INTERVAL 7 DAY)
    AND e.timestamp <= (SELECT as_of FROM moment)
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id,
  avg_1.value AS value
FROM users_now
LEFT JOIN avg_1
  ON avg_1.user_id = users_now.user_id
WHERE
  avg_1.value IS NOT NULL

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), avg_1 AS (
  SELECT
    e.user_id AS user_id,
    AVG(CAST(e.amount AS FLOAT64)) AS value
  FROM events AS e
  WHERE
    e.event = @p1 AND e.timestamp > @p2 AND e.timestamp <= @p3
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id,
  avg_1.value AS value
FROM users_now
LEFT JOIN avg_1
  ON avg_1.user_id = users_now.user_id
WHERE
  avg_1.value IS NOT NULL

-- with:
-- {'p1': 'Order Completed', 'p2': datetime.datetime(2026, 3, 24, 12, 0), 'p3': datetime.datetime(2026, 3, 31, 12, 0)}
