WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMP) AS as_of
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
), count_after_1 AS (
  SELECT
    p.user_id AS user_id,
    p.happened_at AS happened_at,
    COUNT(DISTINCT e.id) AS value
  FROM (
    SELECT DISTINCT
      e.user_id AS user_id,
      e.timestamp AS happened_at
    FROM events_read AS e
    WHERE
      e.event = 'Order Completed'
      AND e.timestamp > (SELECT as_of FROM moment) - INTERVAL '90' DAY
      AND e.timestamp <= (SELECT as_of FROM moment)
      AND e.user_id IS NOT NULL
  ) AS p
  JOIN events_read AS e
    ON e.user_id = p.user_id
    AND e.timestamp > p.happened_at
    AND e.timestamp <= p.happened_at + INTERVAL '7' DAY
  WHERE
    e.event = 'Order Returned' AND e.timestamp <= (SELECT as_of FROM moment)
  GROUP BY
    p.user_id,
    p.happened_at
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_read AS e
  LEFT JOIN count_after_1
    ON count_after_1.user_id = e.user_id AND count_after_1.happened_at = e.timestamp
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp > (SELECT as_of FROM moment) - INTERVAL '90' DAY
    AND e.timestamp <= (SELECT as_of FROM moment)
    AND COALESCE(count_after_1.value, 0) >= 1
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
    t.timestamp
  FROM events AS t
  WHERE
    t.event IN ($p2, $p3) AND t.timestamp <= $p4
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), count_after_1 AS (
  SELECT
    p.user_id AS user_id,
    p.happened_at AS happened_at,
    COUNT(DISTINCT e.id) AS value
  FROM (
    SELECT DISTINCT
      e.user_id AS user_id,
      e.timestamp AS happened_at
    FROM events_read AS e
    WHERE
      e.event = $p2
      AND e.timestamp > $p5
      AND e.timestamp <= $p4
      AND e.user_id IS NOT NULL
  ) AS p
  JOIN events_read AS e
    ON e.user_id = p.user_id
    AND e.timestamp > p.happened_at
    AND e.timestamp <= p.happened_at + INTERVAL '7' DAY
  WHERE
    e.event = $p3 AND e.timestamp <= $p4
  GROUP BY
    p.user_id,
    p.happened_at
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_read AS e
  LEFT JOIN count_after_1
    ON count_after_1.user_id = e.user_id AND count_after_1.happened_at = e.timestamp
  WHERE
    e.event = $p2
    AND e.timestamp > $p5
    AND e.timestamp <= $p4
    AND COALESCE(count_after_1.value, 0) >= $p1
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
-- {'p1': 1, 'p2': 'Order Completed', 'p3': 'Order Returned', 'p4': datetime.datetime(2026, 3, 31, 12, 0), 'p5': datetime.datetime(2025, 12, 31, 12, 0)}
