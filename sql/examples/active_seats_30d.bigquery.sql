-- active_seats_30d: event('Signed In').within(30 days).unique(property('user_id')).count()
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
), accounts_now AS (
  SELECT
    t.account_id AS account_id
  FROM accounts AS t
  WHERE
    t.account_id IS NOT NULL
    AND (
      t.created_at IS NULL OR t.created_at <= (SELECT as_of FROM moment)
    )
), members_now AS (
  SELECT DISTINCT
    m.user_id AS user_id,
    m.account_id AS account_id
  FROM memberships AS m
  JOIN users_now
    ON users_now.user_id = m.user_id
  JOIN accounts_now
    ON accounts_now.account_id = m.account_id
  WHERE
    (
      m.valid_from IS NULL OR m.valid_from <= (SELECT as_of FROM moment)
    )
    AND (
      m.valid_to IS NULL OR m.valid_to > (SELECT as_of FROM moment)
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
    e.event AS event,
    e.timestamp AS timestamp
  FROM events AS e
  LEFT JOIN claims
    ON claims.anonymous_id = e.anonymous_id
  WHERE
    e.event = 'Signed In'
    AND e.timestamp > DATETIME_SUB((SELECT as_of FROM moment), INTERVAL 30 DAY)
    AND e.timestamp <= (SELECT as_of FROM moment)
), unique_1 AS (
  SELECT
    members_now.account_id AS account_id,
    COUNT(DISTINCT e.user_id) AS value
  FROM events_of_users AS e
  JOIN members_now
    ON members_now.user_id = e.user_id
  WHERE
    e.event = 'Signed In'
    AND e.timestamp > DATETIME_SUB((SELECT as_of FROM moment), INTERVAL 30 DAY)
  GROUP BY
    members_now.account_id
)
SELECT DISTINCT
  accounts_now.account_id,
  COALESCE(unique_1.value, 0) AS value
FROM accounts_now
LEFT JOIN unique_1
  ON unique_1.account_id = accounts_now.account_id;
