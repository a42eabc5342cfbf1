WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS DATETIME) AS as_of
), events_read AS (
  SELECT
    t.timestamp,
    t.event,
    t.user_id,
    t.amount
  FROM events AS t
  WHERE
    t.event = 'Order Completed' AND t.timestamp <= (SELECT as_of FROM moment)
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), max_1 AS (
  SELECT
    e.user_id AS user_id,
    MAX(e.timestamp) AS value
  FROM events_read AS e
  WHERE
    e.event = 'Order Completed' AND e.timestamp <= (SELECT as_of FROM moment)
  GROUP BY
    e.user_id
), min_1 AS (
  SELECT
    e.user_id AS user_id,
    MIN(e.amount) AS value
  FROM events_read AS e
  WHERE
    e.event = 'Order Completed' AND e.timestamp <= (SELECT as_of FROM moment)
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN max_1
  ON max_1.user_id = users_now.user_id
LEFT JOIN min_1
  ON min_1.user_id = users_now.user_id
WHERE
  COALESCE(max_1.value <= DATETIME_SUB((SELECT as_of FROM moment), INTERVAL 10 DAY), FALSE)
  AND COALESCE(min_1.value < 20, FALSE)

-- executed:

WITH events_read AS (
  SELECT
    t.timestamp,
    t.event,
    t.user_id,
    t.amount
  FROM events AS t
  WHERE
    t.event = @p3 AND t.timestamp <= @p4
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), max_1 AS (
  SELECT
    e.user_id AS user_id,
    MAX(e.timestamp) AS value
  FROM events_read AS e
  WHERE
    e.event = @p3 AND e.timestamp <= @p4
  GROUP BY
    e.user_id
), min_1 AS (
  SELECT
    e.user_id AS user_id,
    MIN(e.amount) AS value
  FROM events_read AS e
  WHERE
    e.event = @p3 AND e.timestamp <= @p4
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN max_1
  ON max_1.user_id = users_now.user_id
LEFT JOIN min_1
  ON min_1.user_id = users_now.user_id
WHERE
  COALESCE(max_1.value <= @p1, FALSE) AND COALESCE(min_1.value < @p2, FALSE)

-- with:
-- {'p1': datetime.datetime(2026, 3, 21, 12, 0), 'p2': 20, 'p3': 'Order Completed', 'p4': datetime.datetime(2026, 3, 31, 12, 0)}
