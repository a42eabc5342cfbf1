WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMP) AS as_of
), users_now AS (
  SELECT
    t.user_id AS user_id,
    t.plan AS plan
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
    AND (
      t.created_at IS NULL OR t.created_at <= (SELECT as_of FROM moment)
    )
), accounts_now AS (
  SELECT
    t.account_id AS account_id,
    t.plan AS plan
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
      ROW_NUMBER() OVER (
        PARTITION BY i.id_value
        ORDER BY i.first_seen_at ASC NULLS FIRST, i.user_id ASC NULLS FIRST
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
    e.timestamp AS timestamp
  FROM events AS e
  LEFT JOIN claims
    ON claims.anonymous_id = e.anonymous_id
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp > (SELECT as_of FROM moment) - INTERVAL '30' DAY
    AND e.timestamp <= (SELECT as_of FROM moment)
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_of_users AS e
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp > (SELECT as_of FROM moment) - INTERVAL '30' DAY
  GROUP BY
    e.user_id
), any_1 AS (
  SELECT DISTINCT
    members_now.account_id
  FROM members_now
  LEFT JOIN count_1
    ON count_1.user_id = members_now.user_id
  WHERE
    COALESCE(count_1.value, 0) >= 1
)
SELECT DISTINCT
  members_now.user_id,
  accounts_now.account_id,
  users_now.plan AS plan
FROM accounts_now
LEFT JOIN any_1
  ON any_1.account_id = accounts_now.account_id
JOIN members_now
  ON members_now.account_id = accounts_now.account_id
JOIN users_now
  ON users_now.user_id = members_now.user_id
WHERE
  NOT (
    COALESCE(users_now.plan = 'team', FALSE)
  )
  AND (
    any_1.account_id IS NOT NULL
    AND NOT (
      COALESCE(accounts_now.plan = 'free', FALSE)
    )
  )

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id,
    t.plan AS plan
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL AND (
      t.created_at IS NULL OR t.created_at <= $p3
    )
), accounts_now AS (
  SELECT
    t.account_id AS account_id,
    t.plan AS plan
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
      m.valid_from IS NULL OR m.valid_from <= $p3
    )
    AND (
      m.valid_to IS NULL OR m.valid_to > $p3
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
        ORDER BY i.first_seen_at ASC NULLS FIRST, i.user_id ASC NULLS FIRST
      ) AS place
    FROM identifiers AS i
    WHERE
      i.id_value IS NOT NULL
      AND i.user_id IS NOT NULL
      AND i.id_type = $p4
      AND (
        i.first_seen_at IS NULL OR i.first_seen_at <= $p3
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
    e.event = $p5 AND e.timestamp > $p6 AND e.timestamp <= $p3
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_of_users AS e
  WHERE
    e.event = $p5 AND e.timestamp > $p6
  GROUP BY
    e.user_id
), any_1 AS (
  SELECT DISTINCT
    members_now.account_id
  FROM members_now
  LEFT JOIN count_1
    ON count_1.user_id = members_now.user_id
  WHERE
    COALESCE(count_1.value, 0) >= $p7
)
SELECT DISTINCT
  members_now.user_id,
  accounts_now.account_id,
  users_now.plan AS plan
FROM accounts_now
LEFT JOIN any_1
  ON any_1.account_id = accounts_now.account_id
JOIN members_now
  ON members_now.account_id = accounts_now.account_id
JOIN users_now
  ON users_now.user_id = members_now.user_id
WHERE
  NOT (
    COALESCE(users_now.plan = $p1, FALSE)
  )
  AND (
    any_1.account_id IS NOT NULL
    AND NOT (
      COALESCE(accounts_now.plan = $p2, FALSE)
    )
  )

-- with:
-- {'p1': 'team', 'p2': 'free', 'p3': datetime.datetime(2026, 3, 31, 12, 0), 'p4': 'anonymous_id', 'p5': 'Order Completed', 'p6': datetime.datetime(2026, 3, 1, 12, 0), 'p7': 1}
