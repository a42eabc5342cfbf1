WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00+00:00' AS TIMESTAMP) AS as_of_tz
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
  FROM `Signed-Up` AS e
  WHERE
    e.timestamp > TIMESTAMP_SUB((SELECT as_of_tz FROM moment), INTERVAL 168 HOUR)
    AND e.timestamp <= (SELECT as_of_tz FROM moment)
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
  FROM `Signed-Up` AS e
  WHERE
    e.timestamp > @p2 AND e.timestamp <= @p3
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
-- {'p1': 1, 'p2': datetime.datetime(2026, 3, 24, 12, 0, tzinfo=datetime.timezone.utc), 'p3': datetime.datetime(2026, 3, 31, 12, 0, tzinfo=datetime.timezone.utc)}
