WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMP) AS as_of
), events_read AS (
  SELECT
    t.event,
    t.user_id,
    t.timestamp,
    t.properties
  FROM events AS t
  WHERE
    t.event IN ('Order Completed', 'Order Returned')
    AND t.timestamp <= (SELECT as_of FROM moment)
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), sum_after_1 AS (
  SELECT
    p.user_id AS user_id,
    p.happened_at AS happened_at,
    p.parent_1 AS parent_1,
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
  FROM (
    SELECT DISTINCT
      e.user_id AS user_id,
      e.timestamp AS happened_at,
      (
        e.properties #>> ARRAY['sku']
      ) AS parent_1
    FROM events_read AS e
    WHERE
      e.event = 'Order Completed'
      AND e.timestamp <= (SELECT as_of FROM moment)
      AND e.user_id IS NOT NULL
  ) AS p
  JOIN events_read AS e
    ON e.user_id = p.user_id
    AND e.timestamp > p.happened_at
    AND e.timestamp <= p.happened_at + INTERVAL '5 DAY'
    AND e.timestamp > p.happened_at + INTERVAL '1 DAY'
  WHERE
    e.event = 'Order Returned'
    AND e.timestamp <= (SELECT as_of FROM moment)
    AND COALESCE((
      e.properties #>> ARRAY['sku']
    ) = p.parent_1, FALSE)
  GROUP BY
    p.user_id,
    p.happened_at,
    p.parent_1
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(*) AS value
  FROM events_read AS e
  LEFT JOIN sum_after_1
    ON sum_after_1.user_id = e.user_id
    AND sum_after_1.happened_at = e.timestamp
    AND sum_after_1.parent_1 IS NOT DISTINCT FROM (
      e.properties #>> ARRAY['sku']
    )
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp <= (SELECT as_of FROM moment)
    AND (
      COALESCE(sum_after_1.value, 0) > 10
      AND e.timestamp <= (SELECT as_of FROM moment) - INTERVAL '5 DAY'
    )
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) > 0

-- executed:

WITH events_read AS (
  SELECT
    t.event,
    t.user_id,
    t.timestamp,
    t.properties
  FROM events AS t
  WHERE
    t.event IN ($1, $2) AND t.timestamp <= $3
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), sum_after_1 AS (
  SELECT
    p.user_id AS user_id,
    p.happened_at AS happened_at,
    p.parent_1 AS parent_1,
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
  FROM (
    SELECT DISTINCT
      e.user_id AS user_id,
      e.timestamp AS happened_at,
      (
        e.properties #>> ARRAY['sku']
      ) AS parent_1
    FROM events_read AS e
    WHERE
      e.event = $4 AND e.timestamp <= $5 AND e.user_id IS NOT NULL
  ) AS p
  JOIN events_read AS e
    ON e.user_id = p.user_id
    AND e.timestamp > p.happened_at
    AND e.timestamp <= p.happened_at + INTERVAL '5 DAY'
    AND e.timestamp > p.happened_at + INTERVAL '1 DAY'
  WHERE
    e.event = $6
    AND e.timestamp <= $7
    AND COALESCE((
      e.properties #>> ARRAY['sku']
    ) = p.parent_1, FALSE)
  GROUP BY
    p.user_id,
    p.happened_at,
    p.parent_1
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(*) AS value
  FROM events_read AS e
  LEFT JOIN sum_after_1
    ON sum_after_1.user_id = e.user_id
    AND sum_after_1.happened_at = e.timestamp
    AND sum_after_1.parent_1 IS NOT DISTINCT FROM (
      e.properties #>> ARRAY['sku']
    )
  WHERE
    e.event = $8
    AND e.timestamp <= $9
    AND (
      COALESCE(sum_after_1.value, 0) > $10 AND e.timestamp <= $11
    )
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) > $12

-- with:
-- ['Order Completed', 'Order Returned', datetime.datetime(2026, 3, 31, 12, 0), 'Order Completed', datetime.datetime(2026, 3, 31, 12, 0), 'Order Returned', datetime.datetime(2026, 3, 31, 12, 0), 'Order Completed', datetime.datetime(2026, 3, 31, 12, 0), 10, datetime.datetime(2026, 3, 26, 12, 0), 0]
