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
  FROM opened AS e
  WHERE
    e.day > DATE(
      TIMESTAMP(DATETIME_SUB((SELECT as_of FROM moment), INTERVAL 28 DAY), 'UTC'),
      'Europe/Prague'
    )
    AND e.day <= DATE(TIMESTAMP((SELECT as_of FROM moment), 'UTC'), 'Europe/Prague')
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
    e.day > @p1 AND e.day <= @p2
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
-- {'p1': datetime.date(2026, 3, 3), 'p2': datetime.date(2026, 3, 31)}
