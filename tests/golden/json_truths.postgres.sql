WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMP) AS as_of
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
      (
        e.properties #>> ARRAY['new']
      ) IS NOT NULL
      AND NOT (
        COALESCE(
          CASE
            WHEN (
              e.properties #>> ARRAY['new']
            ) = 'true'
            THEN TRUE
            WHEN (
              e.properties #>> ARRAY['new']
            ) = 'false'
            THEN FALSE
          END = TRUE,
          FALSE
        )
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
  COALESCE(count_1.value, 0) >= 1

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
    e.event = $1
    AND e.timestamp <= $2
    AND (
      (
        e.properties #>> ARRAY['new']
      ) IS NOT NULL
      AND NOT (
        COALESCE(
          CASE
            WHEN (
              e.properties #>> ARRAY['new']
            ) = 'true'
            THEN TRUE
            WHEN (
              e.properties #>> ARRAY['new']
            ) = 'false'
            THEN FALSE
          END = $3,
          FALSE
        )
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
  COALESCE(count_1.value, 0) >= $4

-- with:
-- ['Order Completed', datetime.datetime(2026, 3, 31, 12, 0), True, 1]
