-- revenue_90d: event('Order Completed').within(90 days).sum(property('revenue'))
WITH moment AS (
  SELECT
    CAST('2026-11-01 00:00:00' AS DATETIME) AS as_of
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
    e.revenue AS revenue,
    e.event AS event,
    e.timestamp AS timestamp
  FROM events AS e
  LEFT JOIN claims
    ON claims.anonymous_id = e.anonymous_id
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp > DATETIME_SUB((SELECT as_of FROM moment), INTERVAL 90 DAY)
    AND e.timestamp <= (SELECT as_of FROM moment)
), sum_1 AS (
  SELECT
    e.user_id AS user_id,
    SUM(e.revenue) AS value
  FROM events_of_users AS e
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp > DATETIME_SUB((SELECT as_of FROM moment), INTERVAL 90 DAY)
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id,
  COALESCE(sum_1.value, 0) AS value
FROM users_now
LEFT JOIN sum_1
  ON sum_1.user_id = users_now.user_id;
