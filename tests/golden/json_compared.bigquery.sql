WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS DATETIME) AS as_of
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
      JSON_VALUE(e.properties, '$."plan"') AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.user_id
        ORDER BY e.timestamp DESC, JSON_VALUE(e.properties, '$."plan"') DESC
      ) AS place
    FROM events_read AS e
    WHERE
      e.event = 'Order Completed'
      AND e.timestamp <= (SELECT as_of FROM moment)
      AND JSON_VALUE(e.properties, '$."plan"') IS NOT NULL
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
      SAFE_CAST(JSON_VALUE(e.properties, '$."cart"."size"') AS FLOAT64) AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.user_id
        ORDER BY e.timestamp DESC, SAFE_CAST(JSON_VALUE(e.properties, '$."cart"."size"') AS FLOAT64) DESC
      ) AS place
    FROM events_read AS e
    WHERE
      e.event = 'Order Completed'
      AND e.timestamp <= (SELECT as_of FROM moment)
      AND SAFE_CAST(JSON_VALUE(e.properties, '$."cart"."size"') AS FLOAT64) IS NOT NULL
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
    t.event = @p3 AND t.timestamp <= @p4
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
      JSON_VALUE(e.properties, '$."plan"') AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.user_id
        ORDER BY e.timestamp DESC, JSON_VALUE(e.properties, '$."plan"') DESC
      ) AS place
    FROM events_read AS e
    WHERE
      e.event = @p3
      AND e.timestamp <= @p4
      AND JSON_VALUE(e.properties, '$."plan"') IS NOT NULL
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
      SAFE_CAST(JSON_VALUE(e.properties, '$."cart"."size"') AS FLOAT64) AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.user_id
        ORDER BY e.timestamp DESC, SAFE_CAST(JSON_VALUE(e.properties, '$."cart"."size"') AS FLOAT64) DESC
      ) AS place
    FROM events_read AS e
    WHERE
      e.event = @p3
      AND e.timestamp <= @p4
      AND SAFE_CAST(JSON_VALUE(e.properties, '$."cart"."size"') AS FLOAT64) IS NOT NULL
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
  COALESCE(last_1.value = @p1, FALSE) AND COALESCE(last_2.value > @p2, FALSE)

-- with:
-- {'p1': 'pro', 'p2': 2, 'p3': 'Order Completed', 'p4': datetime.datetime(2026, 3, 31, 12, 0)}
