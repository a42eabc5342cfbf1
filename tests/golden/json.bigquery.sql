WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS DATETIME) AS as_of
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), sum_1 AS (
  SELECT
    e.user_id AS user_id,
    SUM(SAFE_CAST(JSON_VALUE(e.properties, '$."amount"') AS FLOAT64)) AS value
  FROM events AS e
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp <= (SELECT as_of FROM moment)
    AND COALESCE(SAFE_CAST(JSON_VALUE(e.properties, '$."cart"."size"') AS FLOAT64) >= 2, FALSE)
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN sum_1
  ON sum_1.user_id = users_now.user_id
WHERE
  COALESCE(sum_1.value, 0) > 100

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), sum_1 AS (
  SELECT
    e.user_id AS user_id,
    SUM(SAFE_CAST(JSON_VALUE(e.properties, '$."amount"') AS FLOAT64)) AS value
  FROM events AS e
  WHERE
    e.event = @p2
    AND e.timestamp <= @p3
    AND COALESCE(SAFE_CAST(JSON_VALUE(e.properties, '$."cart"."size"') AS FLOAT64) >= @p4, FALSE)
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN sum_1
  ON sum_1.user_id = users_now.user_id
WHERE
  COALESCE(sum_1.value, 0) > @p1

-- with:
-- {'p1': 100, 'p2': 'Order Completed', 'p3': datetime.datetime(2026, 3, 31, 12, 0), 'p4': 2}
