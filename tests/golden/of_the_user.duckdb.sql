WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMP) AS as_of
), events_read AS (
  SELECT
    t.id,
    t.event,
    t.user_id,
    t.timestamp,
    t.colour
  FROM events AS t
  WHERE
    t.event = 'Order Completed' AND t.timestamp <= (SELECT as_of FROM moment)
), users_now AS (
  SELECT
    t.user_id AS user_id,
    t.plan AS plan
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_read AS e
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp > (SELECT as_of FROM moment) - INTERVAL '30' DAY
    AND e.timestamp <= (SELECT as_of FROM moment)
  GROUP BY
    e.user_id
), count_2 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_read AS e
  LEFT JOIN users_now
    ON users_now.user_id = e.user_id
  LEFT JOIN count_1
    ON count_1.user_id = e.user_id
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp <= (SELECT as_of FROM moment)
    AND (
      COALESCE(e.colour = users_now.plan, FALSE)
      AND (
        users_now.user_id IS NOT NULL AND COALESCE(count_1.value, 0) >= 1
      )
    )
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_2
  ON count_2.user_id = users_now.user_id
WHERE
  COALESCE(count_2.value, 0) >= 1

-- executed:

WITH events_read AS (
  SELECT
    t.id,
    t.event,
    t.user_id,
    t.timestamp,
    t.colour
  FROM events AS t
  WHERE
    t.event = $p2 AND t.timestamp <= $p3
), users_now AS (
  SELECT
    t.user_id AS user_id,
    t.plan AS plan
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_read AS e
  WHERE
    e.event = $p2 AND e.timestamp > $p4 AND e.timestamp <= $p3
  GROUP BY
    e.user_id
), count_2 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_read AS e
  LEFT JOIN users_now
    ON users_now.user_id = e.user_id
  LEFT JOIN count_1
    ON count_1.user_id = e.user_id
  WHERE
    e.event = $p2
    AND e.timestamp <= $p3
    AND (
      COALESCE(e.colour = users_now.plan, FALSE)
      AND (
        users_now.user_id IS NOT NULL AND COALESCE(count_1.value, 0) >= $p1
      )
    )
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_2
  ON count_2.user_id = users_now.user_id
WHERE
  COALESCE(count_2.value, 0) >= $p1

-- with:
-- {'p1': 1, 'p2': 'Order Completed', 'p3': datetime.datetime(2026, 3, 31, 12, 0), 'p4': datetime.datetime(2026, 3, 1, 12, 0)}
