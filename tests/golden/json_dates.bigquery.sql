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
    COUNT(*) AS value
  FROM events AS e
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp <= (SELECT as_of FROM moment)
    AND (
      COALESCE(
        COALESCE(
          SAFE_CAST(JSON_VALUE(e.properties, '$."on"') AS DATETIME),
          DATETIME(SAFE_CAST(JSON_VALUE(e.properties, '$."on"') AS TIMESTAMP), 'UTC')
        ) > CAST('2026-03-01 00:00:00' AS DATETIME),
        FALSE
      )
      AND COALESCE(
        CASE
          WHEN JSON_VALUE(e.properties, '$."new"') = 'true'
          THEN TRUE
          WHEN JSON_VALUE(e.properties, '$."new"') = 'false'
          THEN FALSE
        END IN (TRUE),
        FALSE
      )
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

WITH users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(*) AS value
  FROM events AS e
  WHERE
    e.event = @p2
    AND e.timestamp <= @p3
    AND (
      COALESCE(
        COALESCE(
          SAFE_CAST(JSON_VALUE(e.properties, '$."on"') AS DATETIME),
          DATETIME(SAFE_CAST(JSON_VALUE(e.properties, '$."on"') AS TIMESTAMP), 'UTC')
        ) > @p4,
        FALSE
      )
      AND COALESCE(
        CASE
          WHEN JSON_VALUE(e.properties, '$."new"') = 'true'
          THEN TRUE
          WHEN JSON_VALUE(e.properties, '$."new"') = 'false'
          THEN FALSE
        END IN (@p5),
        FALSE
      )
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
  COALESCE(count_1.value, 0) > @p1

-- with:
-- {'p1': 0, 'p2': 'Order Completed', 'p3': datetime.datetime(2026, 3, 31, 12, 0), 'p4': datetime.datetime(2026, 3, 1, 0, 0), 'p5': True}
