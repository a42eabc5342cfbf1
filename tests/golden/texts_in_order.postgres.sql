WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMP) AS as_of
), users_now AS (
  SELECT
    t.user_id AS user_id,
    t.plan AS plan
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), min_1 AS (
  SELECT
    e.user_id AS user_id,
    MIN(CAST(e.colour AS TEXT) COLLATE "C") AS value
  FROM events AS e
  WHERE
    e.event = 'Order Completed' AND e.timestamp <= (SELECT as_of FROM moment)
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN min_1
  ON min_1.user_id = users_now.user_id
WHERE
  (
    COALESCE(CAST(min_1.value AS TEXT) COLLATE "C" < 'b', FALSE)
    OR COALESCE(CAST(users_now.plan AS TEXT) COLLATE "C" >= 'pro', FALSE)
  )

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id,
    t.plan AS plan
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), min_1 AS (
  SELECT
    e.user_id AS user_id,
    MIN(CAST(e.colour AS TEXT) COLLATE "C") AS value
  FROM events AS e
  WHERE
    e.event = $1 AND e.timestamp <= $2
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN min_1
  ON min_1.user_id = users_now.user_id
WHERE
  (
    COALESCE(CAST(min_1.value AS TEXT) COLLATE "C" < $3, FALSE)
    OR COALESCE(CAST(users_now.plan AS TEXT) COLLATE "C" >= $4, FALSE)
  )

-- with:
-- ['Order Completed', datetime.datetime(2026, 3, 31, 12, 0), 'b', 'pro']
