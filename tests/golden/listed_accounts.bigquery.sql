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
), accounts_now AS (
  SELECT
    t.account_id AS account_id
  FROM accounts AS t
  WHERE
    t.account_id IS NOT NULL
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
    e.amount AS amount,
    e.event AS event
  FROM events AS e
  LEFT JOIN claims
    ON claims.anonymous_id = e.anonymous_id
  WHERE
    e.event = 'Order Completed' AND e.timestamp <= (SELECT as_of FROM moment)
), sql_1 AS (
  SELECT DISTINCT
    o.account_id
  FROM (
    SELECT
      account_id
    FROM accounts AS accounts
    WHERE
      seats > 1
  ) AS o
  WHERE
    o.account_id IS NOT NULL
), sum_1 AS (
  SELECT
    members_now.account_id AS account_id,
    SUM(e.amount) AS value
  FROM events_of_users AS e
  JOIN members_now
    ON members_now.user_id = e.user_id
  WHERE
    e.event = 'Order Completed'
  GROUP BY
    members_now.account_id
)
SELECT DISTINCT
  accounts_now.account_id
FROM accounts_now
LEFT JOIN sql_1
  ON sql_1.account_id = accounts_now.account_id
LEFT JOIN sum_1
  ON sum_1.account_id = accounts_now.account_id
WHERE
  sql_1.account_id IS NOT NULL AND NOT (
    COALESCE(sum_1.value, 0) > 1000
  )

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL AND (
      t.created_at IS NULL OR t.created_at <= @p2
    )
), accounts_now AS (
  SELECT
    t.account_id AS account_id
  FROM accounts AS t
  WHERE
    t.account_id IS NOT NULL
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
      m.valid_from IS NULL OR m.valid_from <= @p2
    )
    AND (
      m.valid_to IS NULL OR m.valid_to > @p2
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
    e.amount AS amount,
    e.event AS event
  FROM events AS e
  LEFT JOIN claims
    ON claims.anonymous_id = e.anonymous_id
  WHERE
    e.event = @p4 AND e.timestamp <= @p2
), sql_1 AS (
  SELECT DISTINCT
    o.account_id
  FROM (
    SELECT
      account_id
    FROM accounts AS accounts
    WHERE
      seats > 1
  ) AS o
  WHERE
    o.account_id IS NOT NULL
), sum_1 AS (
  SELECT
    members_now.account_id AS account_id,
    SUM(e.amount) AS value
  FROM events_of_users AS e
  JOIN members_now
    ON members_now.user_id = e.user_id
  WHERE
    e.event = @p4
  GROUP BY
    members_now.account_id
)
SELECT DISTINCT
  accounts_now.account_id
FROM accounts_now
LEFT JOIN sql_1
  ON sql_1.account_id = accounts_now.account_id
LEFT JOIN sum_1
  ON sum_1.account_id = accounts_now.account_id
WHERE
  sql_1.account_id IS NOT NULL AND NOT (
    COALESCE(sum_1.value, 0) > @p1
  )

-- with:
-- {'p1': 1000, 'p2': datetime.datetime(2026, 3, 31, 12, 0), 'p3': 'anonymous_id', 'p4': 'Order Completed'}
