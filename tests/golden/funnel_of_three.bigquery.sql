WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS DATETIME) AS as_of
), events_read AS (
  SELECT
    t.id,
    t.event,
    t.user_id,
    t.timestamp,
    t.colour
  FROM events AS t
  WHERE
    t.event IN ('Order Returned', 'Order Completed')
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
      e.event = 'Order Returned'
      AND e.timestamp <= (SELECT as_of FROM moment)
      AND e.user_id IS NOT NULL
  ) AS p
  JOIN events_read AS e
    ON e.user_id = p.user_id
    AND e.timestamp > p.happened_at
    AND e.timestamp <= DATETIME_ADD(p.happened_at, INTERVAL 3 DAY)
  WHERE
    e.event = 'Order Completed' AND e.timestamp <= (SELECT as_of FROM moment)
  GROUP BY
    p.user_id,
    p.happened_at
), count_after_2 AS (
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
      AND e.timestamp <= (SELECT as_of FROM moment)
      AND e.user_id IS NOT NULL
  ) AS p
  JOIN events_read AS e
    ON e.user_id = p.user_id
    AND e.timestamp > p.happened_at
    AND e.timestamp <= DATETIME_ADD(p.happened_at, INTERVAL 7 DAY)
  LEFT JOIN count_after_1
    ON count_after_1.user_id = e.user_id AND count_after_1.happened_at = e.timestamp
  WHERE
    e.event = 'Order Returned'
    AND e.timestamp <= (SELECT as_of FROM moment)
    AND (
      NOT (
        COALESCE(count_after_1.value, 0) >= 1
      )
      AND e.timestamp <= DATETIME_SUB((SELECT as_of FROM moment), INTERVAL 3 DAY)
    )
  GROUP BY
    p.user_id,
    p.happened_at
), last_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.user_id AS user_id,
      e.colour AS value,
      ROW_NUMBER() OVER (PARTITION BY e.user_id ORDER BY e.timestamp DESC, e.id DESC, e.colour DESC) AS place
    FROM events_read AS e
    LEFT JOIN count_after_2
      ON count_after_2.user_id = e.user_id AND count_after_2.happened_at = e.timestamp
    WHERE
      e.event = 'Order Completed'
      AND e.timestamp <= (SELECT as_of FROM moment)
      AND COALESCE(count_after_2.value, 0) >= 1
      AND e.colour IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id,
  last_1.value AS value
FROM users_now
LEFT JOIN last_1
  ON last_1.user_id = users_now.user_id
WHERE
  last_1.value IS NOT NULL

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
    t.event IN (@p1, @p2) AND t.timestamp <= @p3
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
      e.event = @p1 AND e.timestamp <= @p3 AND e.user_id IS NOT NULL
  ) AS p
  JOIN events_read AS e
    ON e.user_id = p.user_id
    AND e.timestamp > p.happened_at
    AND e.timestamp <= DATETIME_ADD(p.happened_at, INTERVAL 3 DAY)
  WHERE
    e.event = @p2 AND e.timestamp <= @p3
  GROUP BY
    p.user_id,
    p.happened_at
), count_after_2 AS (
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
      e.event = @p2 AND e.timestamp <= @p3 AND e.user_id IS NOT NULL
  ) AS p
  JOIN events_read AS e
    ON e.user_id = p.user_id
    AND e.timestamp > p.happened_at
    AND e.timestamp <= DATETIME_ADD(p.happened_at, INTERVAL 7 DAY)
  LEFT JOIN count_after_1
    ON count_after_1.user_id = e.user_id AND count_after_1.happened_at = e.timestamp
  WHERE
    e.event = @p1
    AND e.timestamp <= @p3
    AND (
      NOT (
        COALESCE(count_after_1.value, 0) >= @p4
      ) AND e.timestamp <= @p5
    )
  GROUP BY
    p.user_id,
    p.happened_at
), last_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.user_id AS user_id,
      e.colour AS value,
      ROW_NUMBER() OVER (PARTITION BY e.user_id ORDER BY e.timestamp DESC, e.id DESC, e.colour DESC) AS place
    FROM events_read AS e
    LEFT JOIN count_after_2
      ON count_after_2.user_id = e.user_id AND count_after_2.happened_at = e.timestamp
    WHERE
      e.event = @p2
      AND e.timestamp <= @p3
      AND COALESCE(count_after_2.value, 0) >= @p4
      AND e.colour IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id,
  last_1.value AS value
FROM users_now
LEFT JOIN last_1
  ON last_1.user_id = users_now.user_id
WHERE
  last_1.value IS NOT NULL

-- with:
-- {'p1': 'Order Returned', 'p2': 'Order Completed', 'p3': datetime.datetime(2026, 3, 31, 12, 0), 'p4': 1, 'p5': datetime.datetime(2026, 3, 28, 12, 0)}
