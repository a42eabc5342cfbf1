WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMP) AS as_of
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), sum_1 AS (
  SELECT
    e.user_id AS user_id,
    SUM(
      CASE
        WHEN (
          e.properties #>> ARRAY['amount']
        ) ~ '^\s*[+-]?([0-9]{1,255}(\.[0-9]{0,255})?|\.[0-9]{1,255}|[0-9]{1,15}(\.[0-9]{0,15})?[eE][+-]?([0-9]{1,2}|[12][0-8][0-9])|\.[0-9]{1,15}[eE][+-]?([0-9]{1,2}|[12][0-8][0-9]))\s*$'
        THEN CAST((
          e.properties #>> ARRAY['amount']
        ) AS DOUBLE PRECISION)
      END
    ) AS value
  FROM events AS e
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp <= (SELECT as_of FROM moment)
    AND COALESCE(
      CASE
        WHEN (
          e.properties #>> ARRAY['cart', 'size']
        ) ~ '^\s*[+-]?([0-9]{1,255}(\.[0-9]{0,255})?|\.[0-9]{1,255}|[0-9]{1,15}(\.[0-9]{0,15})?[eE][+-]?([0-9]{1,2}|[12][0-8][0-9])|\.[0-9]{1,15}[eE][+-]?([0-9]{1,2}|[12][0-8][0-9]))\s*$'
        THEN CAST((
          e.properties #>> ARRAY['cart', 'size']
        ) AS DOUBLE PRECISION)
      END >= 2,
      FALSE
    )
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
    SUM(
      CASE
        WHEN (
          e.properties #>> ARRAY['amount']
        ) ~ '^\s*[+-]?([0-9]{1,255}(\.[0-9]{0,255})?|\.[0-9]{1,255}|[0-9]{1,15}(\.[0-9]{0,15})?[eE][+-]?([0-9]{1,2}|[12][0-8][0-9])|\.[0-9]{1,15}[eE][+-]?([0-9]{1,2}|[12][0-8][0-9]))\s*$'
        THEN CAST((
          e.properties #>> ARRAY['amount']
        ) AS DOUBLE PRECISION)
      END
    ) AS value
  FROM events AS e
  WHERE
    e.event = $1
    AND e.timestamp <= $2
    AND COALESCE(
      CASE
        WHEN (
          e.properties #>> ARRAY['cart', 'size']
        ) ~ '^\s*[+-]?([0-9]{1,255}(\.[0-9]{0,255})?|\.[0-9]{1,255}|[0-9]{1,15}(\.[0-9]{0,15})?[eE][+-]?([0-9]{1,2}|[12][0-8][0-9])|\.[0-9]{1,15}[eE][+-]?([0-9]{1,2}|[12][0-8][0-9]))\s*$'
        THEN CAST((
          e.properties #>> ARRAY['cart', 'size']
        ) AS DOUBLE PRECISION)
      END >= $3,
      FALSE
    )
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN sum_1
  ON sum_1.user_id = users_now.user_id
WHERE
  COALESCE(sum_1.value, 0) > $4

-- with:
-- ['Order Completed', datetime.datetime(2026, 3, 31, 12, 0), 2, 100]
