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
      (SELECT as_of FROM moment) - INTERVAL '28 DAY'
    ) AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Prague' AS DATE)
    AND e.day <= CAST((
      (SELECT as_of FROM moment)
    ) AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Prague' AS DATE)
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id,
  COALESCE(count_1.value, 0) AS value
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id

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
  users_now.user_id,
  COALESCE(count_1.value, 0) AS value
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id

-- with:
-- [datetime.date(2026, 3, 3), datetime.date(2026, 3, 31)]
