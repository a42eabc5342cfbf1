WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMP) AS as_of
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
      ROW_NUMBER() OVER (
        PARTITION BY i.id_value
        ORDER BY i.first_seen_at ASC NULLS FIRST, CAST(i.user_id AS TEXT) COLLATE "C" ASC NULLS FIRST
      ) AS place
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
    e.timestamp AS timestamp,
    e.amount AS amount
  FROM events AS e
  LEFT JOIN claims
    ON claims.anonymous_id = e.anonymous_id
  WHERE
    e.event = 'Order Completed' AND e.timestamp <= (SELECT as_of FROM moment)
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_of_users AS e
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp > (SELECT as_of FROM moment) - INTERVAL '30 DAY'
  GROUP BY
    e.user_id
), sum_1 AS (
  SELECT
    e.user_id AS user_id,
    SUM(e.amount) AS value
  FROM events_of_users AS e
  WHERE
    e.event = 'Order Completed'
  GROUP BY
    e.user_id
), top_1 AS (
  SELECT
    w.user_id
  FROM (
    SELECT
      v.user_id,
      ROW_NUMBER() OVER (
        ORDER BY v.value DESC NULLS LAST, CAST(v.user_id AS TEXT) COLLATE "C" ASC NULLS FIRST
      ) AS place
    FROM (
      SELECT DISTINCT
        users_now.user_id AS user_id,
        COALESCE(sum_1.value, 0) AS value
      FROM users_now
      LEFT JOIN count_1
        ON count_1.user_id = users_now.user_id
      LEFT JOIN sum_1
        ON sum_1.user_id = users_now.user_id
      WHERE
        COALESCE(count_1.value, 0) >= 1 AND COALESCE(sum_1.value, 0) IS NOT NULL
    ) AS v
  ) AS w
  WHERE
    w.place <= 100
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN top_1
  ON top_1.user_id = users_now.user_id
WHERE
  top_1.user_id IS NOT NULL

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL AND (
      t.created_at IS NULL OR t.created_at <= $1
    )
), claims AS (
  SELECT
    c.anonymous_id,
    c.user_id
  FROM (
    SELECT
      i.id_value AS anonymous_id,
      i.user_id AS user_id,
      ROW_NUMBER() OVER (
        PARTITION BY i.id_value
        ORDER BY i.first_seen_at ASC NULLS FIRST, CAST(i.user_id AS TEXT) COLLATE "C" ASC NULLS FIRST
      ) AS place
    FROM identifiers AS i
    WHERE
      i.id_value IS NOT NULL
      AND i.user_id IS NOT NULL
      AND i.id_type = $2
      AND (
        i.first_seen_at IS NULL OR i.first_seen_at <= $3
      )
  ) AS c
  WHERE
    c.place = 1
), events_of_users AS (
  SELECT
    COALESCE(e.user_id, claims.user_id) AS user_id,
    e.id AS id,
    e.event AS event,
    e.timestamp AS timestamp,
    e.amount AS amount
  FROM events AS e
  LEFT JOIN claims
    ON claims.anonymous_id = e.anonymous_id
  WHERE
    e.event = $4 AND e.timestamp <= $5
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_of_users AS e
  WHERE
    e.event = $6 AND e.timestamp > $7
  GROUP BY
    e.user_id
), sum_1 AS (
  SELECT
    e.user_id AS user_id,
    SUM(e.amount) AS value
  FROM events_of_users AS e
  WHERE
    e.event = $8
  GROUP BY
    e.user_id
), top_1 AS (
  SELECT
    w.user_id
  FROM (
    SELECT
      v.user_id,
      ROW_NUMBER() OVER (
        ORDER BY v.value DESC NULLS LAST, CAST(v.user_id AS TEXT) COLLATE "C" ASC NULLS FIRST
      ) AS place
    FROM (
      SELECT DISTINCT
        users_now.user_id AS user_id,
        COALESCE(sum_1.value, 0) AS value
      FROM users_now
      LEFT JOIN count_1
        ON count_1.user_id = users_now.user_id
      LEFT JOIN sum_1
        ON sum_1.user_id = users_now.user_id
      WHERE
        COALESCE(count_1.value, 0) >= $9 AND COALESCE(sum_1.value, 0) IS NOT NULL
    ) AS v
  ) AS w
  WHERE
    w.place <= $10
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN top_1
  ON top_1.user_id = users_now.user_id
WHERE
  top_1.user_id IS NOT NULL

-- with:
-- [datetime.datetime(2026, 3, 31, 12, 0), 'anonymous_id', datetime.datetime(2026, 3, 31, 12, 0), 'Order Completed', datetime.datetime(2026, 3, 31, 12, 0), 'Order Completed', datetime.datetime(2026, 3, 1, 12, 0), 'Order Completed', 1, 100]
