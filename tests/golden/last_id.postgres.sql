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
    e.timestamp AS timestamp,
    e.event AS event
  FROM events AS e
  LEFT JOIN claims
    ON claims.anonymous_id = e.anonymous_id
  WHERE
    e.event = 'Order Completed' AND e.timestamp <= (SELECT as_of FROM moment)
), last_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.user_id AS user_id,
      e.id AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.user_id
        ORDER BY e.timestamp DESC NULLS LAST, CAST(e.id AS TEXT) COLLATE "C" DESC NULLS LAST, CAST(e.id AS TEXT) COLLATE "C" DESC NULLS LAST
      ) AS place
    FROM events_of_users AS e
    WHERE
      e.event = 'Order Completed' AND e.id IS NOT NULL
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
    e.timestamp AS timestamp,
    e.event AS event
  FROM events AS e
  LEFT JOIN claims
    ON claims.anonymous_id = e.anonymous_id
  WHERE
    e.event = $4 AND e.timestamp <= $5
), last_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.user_id AS user_id,
      e.id AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.user_id
        ORDER BY e.timestamp DESC NULLS LAST, CAST(e.id AS TEXT) COLLATE "C" DESC NULLS LAST, CAST(e.id AS TEXT) COLLATE "C" DESC NULLS LAST
      ) AS place
    FROM events_of_users AS e
    WHERE
      e.event = $6 AND e.id IS NOT NULL
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
-- [datetime.datetime(2026, 3, 31, 12, 0), 'anonymous_id', datetime.datetime(2026, 3, 31, 12, 0), 'Order Completed', datetime.datetime(2026, 3, 31, 12, 0), 'Order Completed']
