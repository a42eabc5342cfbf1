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
  FROM opened AS e
  WHERE
    e.day > CAST((
      (SELECT as_of FROM moment) - INTERVAL '14 DAY'
    ) AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Prague' AS DATE)
    AND e.day <= CAST((
      (SELECT as_of FROM moment) - INTERVAL '7 DAY'
    ) AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Prague' AS DATE)
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) = 0

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
  FROM opened AS e
  WHERE
    e.day > $1 AND e.day <= $2
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) = $3

-- with:
-- [datetime.date(2026, 3, 17), datetime.date(2026, 3, 24), 0]
