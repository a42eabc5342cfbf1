WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS DATETIME) AS as_of
), events_read AS (
  SELECT
    t.id,
    t.event,
    t.user_id,
    t.timestamp
  FROM events AS t
  WHERE
    t.event IN ('Order Completed', 'Order Returned')
    AND t.timestamp <= (SELECT as_of FROM moment)
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_read AS e
  WHERE
    e.event = 'Order Completed' AND e.timestamp <= (SELECT as_of FROM moment)
  GROUP BY
    e.user_id
), count_2 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_read AS e
  WHERE
    e.event = 'Order Returned' AND e.timestamp <= (SELECT as_of FROM moment)
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
LEFT JOIN count_2
  ON count_2.user_id = users_now.user_id
WHERE
  COALESCE(COALESCE(count_1.value, 0) > COALESCE(count_2.value, 0), FALSE)

-- executed:

WITH events_read AS (
  SELECT
    t.id,
    t.event,
    t.user_id,
    t.timestamp
  FROM events AS t
  WHERE
    t.event IN (@p1, @p2) AND t.timestamp <= @p3
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_read AS e
  WHERE
    e.event = @p1 AND e.timestamp <= @p3
  GROUP BY
    e.user_id
), count_2 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_read AS e
  WHERE
    e.event = @p2 AND e.timestamp <= @p3
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
LEFT JOIN count_2
  ON count_2.user_id = users_now.user_id
WHERE
  COALESCE(COALESCE(count_1.value, 0) > COALESCE(count_2.value, 0), FALSE)

-- with:
-- {'p1': 'Order Completed', 'p2': 'Order Returned', 'p3': datetime.datetime(2026, 3, 31, 12, 0)}
