WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMP) AS as_of
), events_read AS (
  SELECT
    t.id,
    t.event,
    t.user_id,
    t.timestamp,
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
), avg_1 AS (
  SELECT
    e.user_id AS user_id,
    AVG(CAST(e.amount AS DOUBLE)) AS value
  FROM events_read AS e
  WHERE
    e.event = 'Order Completed' AND e.timestamp <= (SELECT as_of FROM moment)
  GROUP BY
    e.user_id
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_read AS e
  LEFT JOIN avg_1
    ON avg_1.user_id = e.user_id
  LEFT JOIN users_now
    ON users_now.user_id = e.user_id
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp > (SELECT as_of FROM moment) - INTERVAL '60' DAY
    AND e.timestamp <= (SELECT as_of FROM moment)
    AND COALESCE(e.amount >= CASE WHEN users_now.user_id IS NOT NULL THEN avg_1.value END, FALSE)
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

WITH events_read AS (
  SELECT
    t.id,
    t.event,
    t.user_id,
    t.timestamp,
    t.amount
  FROM events AS t
  WHERE
    t.event = $p2 AND t.timestamp <= $p3
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), avg_1 AS (
  SELECT
    e.user_id AS user_id,
    AVG(CAST(e.amount AS DOUBLE)) AS value
  FROM events_read AS e
  WHERE
    e.event = $p2 AND e.timestamp <= $p3
  GROUP BY
    e.user_id
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_read AS e
  LEFT JOIN avg_1
    ON avg_1.user_id = e.user_id
  LEFT JOIN users_now
    ON users_now.user_id = e.user_id
  WHERE
    e.event = $p2
    AND e.timestamp > $p4
    AND e.timestamp <= $p3
    AND COALESCE(e.amount >= CASE WHEN users_now.user_id IS NOT NULL THEN avg_1.value END, FALSE)
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) >= $p1

-- with:
-- {'p1': 1, 'p2': 'Order Completed', 'p3': datetime.datetime(2026, 3, 31, 12, 0), 'p4': datetime.datetime(2026, 1, 30, 12, 0)}
