WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS DATETIME) AS as_of
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
    AND (
      t.created_at IS NULL OR t.created_at <= (SELECT as_of FROM moment)
    )
), claims AS (
  SELECT
    c.anonymous_id,
    c.user_id
  FROM (
    SELECT
      i.id_value AS anonymous_id,
      i.user_id AS user_id,
      ROW_NUMBER() OVER (PARTITION BY i.id_value ORDER BY i.first_seen_at ASC, i.user_id ASC) AS place
    FROM identifiers AS i
    WHERE
      i.id_value IS NOT NULL
      AND i.user_id IS NOT NULL
      AND i.id_type = 'anonymous_id'
      AND (
        i.first_seen_at IS NULL OR i.first_seen_at <= (SELECT as_of FROM moment)
      )
  ) AS c
  WHERE
    c.place = 1
), events_of_users AS (
  SELECT
    COALESCE(e.user_id, claims.user_id) AS user_id,
    e.id AS id,
    e.event AS event,
    e.timestamp AS timestamp
  FROM events AS e
  LEFT JOIN claims
    ON claims.anonymous_id = e.anonymous_id
  WHERE
    e.event IN ('Order Completed', 'Order Returned')
    AND e.timestamp <= (SELECT as_of FROM moment)
), count_after_1 AS (
  SELECT
    p.user_id AS user_id,
    p.happened_at AS happened_at,
    COUNT(DISTINCT e.id) AS value
  FROM (
    SELECT DISTINCT
      e.user_id AS user_id,
      e.timestamp AS happened_at
    FROM events_of_users AS e
    WHERE
      e.event = 'Order Completed' AND e.user_id IS NOT NULL
  ) AS p
  JOIN events_of_users AS e
    ON e.user_id = p.user_id
    AND e.timestamp > p.happened_at
    AND e.timestamp <= DATETIME_ADD(p.happened_at, INTERVAL 36 HOUR)
  WHERE
    e.event = 'Order Returned'
  GROUP BY
    p.user_id,
    p.happened_at
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_of_users AS e
  LEFT JOIN count_after_1
    ON count_after_1.user_id = e.user_id AND count_after_1.happened_at = e.timestamp
  WHERE
    e.event = 'Order Completed'
    AND (
      NOT (
        COALESCE(count_after_1.value, 0) >= 1
      )
      AND e.timestamp <= DATETIME_SUB((SELECT as_of FROM moment), INTERVAL 36 HOUR)
    )
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) >= 2

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL AND (
      t.created_at IS NULL OR t.created_at <= @p2
    )
), claims AS (
  SELECT
    c.anonymous_id,
    c.user_id
  FROM (
    SELECT
      i.id_value AS anonymous_id,
      i.user_id AS user_id,
      ROW_NUMBER() OVER (PARTITION BY i.id_value ORDER BY i.first_seen_at ASC, i.user_id ASC) AS place
    FROM identifiers AS i
    WHERE
      i.id_value IS NOT NULL
      AND i.user_id IS NOT NULL
      AND i.id_type = @p3
      AND (
        i.first_seen_at IS NULL OR i.first_seen_at <= @p2
      )
  ) AS c
  WHERE
    c.place = 1
), events_of_users AS (
  SELECT
    COALESCE(e.user_id, claims.user_id) AS user_id,
    e.id AS id,
    e.event AS event,
    e.timestamp AS timestamp
  FROM events AS e
  LEFT JOIN claims
    ON claims.anonymous_id = e.anonymous_id
  WHERE
    e.event IN (@p4, @p5) AND e.timestamp <= @p2
), count_after_1 AS (
  SELECT
    p.user_id AS user_id,
    p.happened_at AS happened_at,
    COUNT(DISTINCT e.id) AS value
  FROM (
    SELECT DISTINCT
      e.user_id AS user_id,
      e.timestamp AS happened_at
    FROM events_of_users AS e
    WHERE
      e.event = @p4 AND e.user_id IS NOT NULL
  ) AS p
  JOIN events_of_users AS e
    ON e.user_id = p.user_id
    AND e.timestamp > p.happened_at
    AND e.timestamp <= DATETIME_ADD(p.happened_at, INTERVAL 36 HOUR)
  WHERE
    e.event = @p5
  GROUP BY
    p.user_id,
    p.happened_at
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_of_users AS e
  LEFT JOIN count_after_1
    ON count_after_1.user_id = e.user_id AND count_after_1.happened_at = e.timestamp
  WHERE
    e.event = @p4
    AND (
      NOT (
        COALESCE(count_after_1.value, 0) >= @p6
      ) AND e.timestamp <= @p7
    )
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) >= @p1

-- with:
-- {'p1': 2, 'p2': datetime.datetime(2026, 3, 31, 12, 0), 'p3': 'anonymous_id', 'p4': 'Order Completed', 'p5': 'Order Returned', 'p6': 1, 'p7': datetime.datetime(2026, 3, 30, 0, 0)}
