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
    MIN(e.colour) AS value
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
    COALESCE(min_1.value < 'b', FALSE) OR COALESCE(users_now.plan >= 'pro', FALSE)
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
    MIN(e.colour) AS value
  FROM events AS e
  WHERE
    e.event = $p3 AND e.timestamp <= $p4
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
    COALESCE(min_1.value < $p1, FALSE) OR COALESCE(users_now.plan >= $p2, FALSE)
  )

-- with:
-- {'p1': 'b', 'p2': 'pro', 'p3': 'Order Completed', 'p4': datetime.datetime(2026, 3, 31, 12, 0)}
