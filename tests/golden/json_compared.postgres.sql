WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMP) AS as_of
), events_read AS (
  SELECT
    t.properties,
    t.timestamp,
    t.user_id,
    t.event
  FROM events AS t
  WHERE
    t.event = 'Order Completed' AND t.timestamp <= (SELECT as_of FROM moment)
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), last_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.user_id AS user_id,
      (
        e.properties #>> ARRAY['plan']
      ) AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.user_id
        ORDER BY e.timestamp DESC NULLS LAST, CAST((
          e.properties #>> ARRAY['plan']
        ) AS TEXT) COLLATE "C" DESC NULLS LAST
      ) AS place
    FROM events_read AS e
    WHERE
      e.event = 'Order Completed'
      AND e.timestamp <= (SELECT as_of FROM moment)
      AND (
        e.properties #>> ARRAY['plan']
      ) IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
), last_2 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.user_id AS user_id,
      CASE
        WHEN (
          e.properties #>> ARRAY['cart', 'size']
        ) ~ '^\s*[+-]?([0-9]{1,255}(\.[0-9]{0,255})?|\.[0-9]{1,255}|[0-9]{1,15}(\.[0-9]{0,15})?[eE][+-]?([0-9]{1,2}|[12][0-8][0-9])|\.[0-9]{1,15}[eE][+-]?([0-9]{1,2}|[12][0-8][0-9]))\s*$'
        THEN CAST((
          e.properties #>> ARRAY['cart', 'size']
        ) AS DOUBLE PRECISION)
      END AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.user_id
        ORDER BY e.timestamp DESC NULLS LAST, CASE
          WHEN (
            e.properties #>> ARRAY['cart', 'size']
          ) ~ '^\s*[+-]?([0-9]{1,255}(\.[0-9]{0,255})?|\.[0-9]{1,255}|[0-9]{1,15}(\.[0-9]{0,15})?[eE][+-]?([0-9]{1,2}|[12][0-8][0-9])|\.[0-9]{1,15}[eE][+-]?([0-9]{1,2}|[12][0-8][0-9]))\s*$'
          THEN CAST((
            e.properties #>> ARRAY['cart', 'size']
          ) AS DOUBLE PRECISION)
        END DESC NULLS LAST
      ) AS place
    FROM events_read AS e
    WHERE
      e.event = 'Order Completed'
      AND e.timestamp <= (SELECT as_of FROM moment)
      AND CASE
        WHEN (
          e.properties #>> ARRAY['cart', 'size']
        ) ~ '^\s*[+-]?([0-9]{1,255}(\.[0-9]{0,255})?|\.[0-9]{1,255}|[0-9]{1,15}(\.[0-9]{0,15})?[eE][+-]?([0-9]{1,2}|[12][0-8][0-9])|\.[0-9]{1,15}[eE][+-]?([0-9]{1,2}|[12][0-8][0-9]))\s*$'
        THEN CAST((
          e.properties #>> ARRAY['cart', 'size']
        ) AS DOUBLE PRECISION)
      END IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN last_1
  ON last_1.user_id = users_now.user_id
LEFT JOIN last_2
  ON last_2.user_id = users_now.user_id
WHERE
  COALESCE(last_1.value = 'pro', FALSE) AND COALESCE(last_2.value > 2, FALSE)

-- executed:

WITH events_read AS (
  SELECT
    t.properties,
    t.timestamp,
    t.user_id,
    t.event
  FROM events AS t
  WHERE
    t.event = $1 AND t.timestamp <= $2
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), last_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.user_id AS user_id,
      (
        e.properties #>> ARRAY['plan']
      ) AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.user_id
        ORDER BY e.timestamp DESC NULLS LAST, CAST((
          e.properties #>> ARRAY['plan']
        ) AS TEXT) COLLATE "C" DESC NULLS LAST
      ) AS place
    FROM events_read AS e
    WHERE
      e.event = $3
      AND e.timestamp <= $4
      AND (
        e.properties #>> ARRAY['plan']
      ) IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
), last_2 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.user_id AS user_id,
      CASE
        WHEN (
          e.properties #>> ARRAY['cart', 'size']
        ) ~ '^\s*[+-]?([0-9]{1,255}(\.[0-9]{0,255})?|\.[0-9]{1,255}|[0-9]{1,15}(\.[0-9]{0,15})?[eE][+-]?([0-9]{1,2}|[12][0-8][0-9])|\.[0-9]{1,15}[eE][+-]?([0-9]{1,2}|[12][0-8][0-9]))\s*$'
        THEN CAST((
          e.properties #>> ARRAY['cart', 'size']
        ) AS DOUBLE PRECISION)
      END AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.user_id
        ORDER BY e.timestamp DESC NULLS LAST, CASE
          WHEN (
            e.properties #>> ARRAY['cart', 'size']
          ) ~ '^\s*[+-]?([0-9]{1,255}(\.[0-9]{0,255})?|\.[0-9]{1,255}|[0-9]{1,15}(\.[0-9]{0,15})?[eE][+-]?([0-9]{1,2}|[12][0-8][0-9])|\.[0-9]{1,15}[eE][+-]?([0-9]{1,2}|[12][0-8][0-9]))\s*$'
          THEN CAST((
            e.properties #>> ARRAY['cart', 'size']
          ) AS DOUBLE PRECISION)
        END DESC NULLS LAST
      ) AS place
    FROM events_read AS e
    WHERE
      e.event = $5
      AND e.timestamp <= $6
      AND CASE
        WHEN (
          e.properties #>> ARRAY['cart', 'size']
        ) ~ '^\s*[+-]?([0-9]{1,255}(\.[0-9]{0,255})?|\.[0-9]{1,255}|[0-9]{1,15}(\.[0-9]{0,15})?[eE][+-]?([0-9]{1,2}|[12][0-8][0-9])|\.[0-9]{1,15}[eE][+-]?([0-9]{1,2}|[12][0-8][0-9]))\s*$'
        THEN CAST((
          e.properties #>> ARRAY['cart', 'size']
        ) AS DOUBLE PRECISION)
      END IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN last_1
  ON last_1.user_id = users_now.user_id
LEFT JOIN last_2
  ON last_2.user_id = users_now.user_id
WHERE
  COALESCE(last_1.value = $7, FALSE) AND COALESCE(last_2.value > $8, FALSE)

-- with:
-- ['Order Completed', datetime.datetime(2026, 3, 31, 12, 0), 'Order Completed', datetime.datetime(2026, 3, 31, 12, 0), 'Order Completed', datetime.datetime(2026, 3, 31, 12, 0), 'pro', 2]
