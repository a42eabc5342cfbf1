WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMP) AS as_of
), memberships_read AS (
  SELECT
    t.user_id,
    t.account_id,
    t.valid_from,
    t.valid_to
  FROM memberships AS t
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
  FROM memberships_read AS m
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
), members_ever AS (
  SELECT DISTINCT
    m.user_id AS user_id,
    m.account_id AS account_id
  FROM memberships_read AS m
  JOIN users_now
    ON users_now.user_id = m.user_id
  JOIN accounts_now
    ON accounts_now.account_id = m.account_id
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
    AND e.timestamp <= p.happened_at + INTERVAL '20' DAY
  WHERE
    e.event = 'Order Returned'
  GROUP BY
    p.user_id,
    p.happened_at
), count_1 AS (
  SELECT
    members_now.account_id AS account_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_of_users AS e
  JOIN members_ever AS members_now
    ON members_now.user_id = e.user_id
  LEFT JOIN count_after_1
    ON count_after_1.user_id = e.user_id AND count_after_1.happened_at = e.timestamp
  WHERE
    EXISTS(
      SELECT
        1
      FROM memberships_read AS m
      WHERE
        m.user_id = members_now.user_id
        AND m.account_id = members_now.account_id
        AND (
          m.valid_from IS NULL OR m.valid_from <= e.timestamp
        )
        AND (
          m.valid_to IS NULL OR m.valid_to > e.timestamp
        )
    )
    AND (
      e.event = 'Order Completed' AND COALESCE(count_after_1.value, 0) >= 1
    )
  GROUP BY
    members_now.account_id
)
SELECT DISTINCT
  accounts_now.account_id,
  COALESCE(count_1.value, 0) AS value
FROM accounts_now
LEFT JOIN count_1
  ON count_1.account_id = accounts_now.account_id

-- executed:

WITH memberships_read AS (
  SELECT
    t.user_id,
    t.account_id,
    t.valid_from,
    t.valid_to
  FROM memberships AS t
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL AND (
      t.created_at IS NULL OR t.created_at <= $p1
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
  FROM memberships_read AS m
  JOIN users_now
    ON users_now.user_id = m.user_id
  JOIN accounts_now
    ON accounts_now.account_id = m.account_id
  WHERE
    (
      m.valid_from IS NULL OR m.valid_from <= $p1
    )
    AND (
      m.valid_to IS NULL OR m.valid_to > $p1
    )
), members_ever AS (
  SELECT DISTINCT
    m.user_id AS user_id,
    m.account_id AS account_id
  FROM memberships_read AS m
  JOIN users_now
    ON users_now.user_id = m.user_id
  JOIN accounts_now
    ON accounts_now.account_id = m.account_id
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
      AND i.id_type = $p2
      AND (
        i.first_seen_at IS NULL OR i.first_seen_at <= $p1
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
    e.event IN ($p3, $p4) AND e.timestamp <= $p1
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
      e.event = $p3 AND e.user_id IS NOT NULL
  ) AS p
  JOIN events_of_users AS e
    ON e.user_id = p.user_id
    AND e.timestamp > p.happened_at
    AND e.timestamp <= p.happened_at + INTERVAL '20' DAY
  WHERE
    e.event = $p4
  GROUP BY
    p.user_id,
    p.happened_at
), count_1 AS (
  SELECT
    members_now.account_id AS account_id,
    COUNT(DISTINCT e.id) AS value
  FROM events_of_users AS e
  JOIN members_ever AS members_now
    ON members_now.user_id = e.user_id
  LEFT JOIN count_after_1
    ON count_after_1.user_id = e.user_id AND count_after_1.happened_at = e.timestamp
  WHERE
    EXISTS(
      SELECT
        1
      FROM memberships_read AS m
      WHERE
        m.user_id = members_now.user_id
        AND m.account_id = members_now.account_id
        AND (
          m.valid_from IS NULL OR m.valid_from <= e.timestamp
        )
        AND (
          m.valid_to IS NULL OR m.valid_to > e.timestamp
        )
    )
    AND (
      e.event = $p3 AND COALESCE(count_after_1.value, 0) >= $p5
    )
  GROUP BY
    members_now.account_id
)
SELECT DISTINCT
  accounts_now.account_id,
  COALESCE(count_1.value, 0) AS value
FROM accounts_now
LEFT JOIN count_1
  ON count_1.account_id = accounts_now.account_id

-- with:
-- {'p1': datetime.datetime(2026, 3, 31, 12, 0), 'p2': 'anonymous_id', 'p3': 'Order Completed', 'p4': 'Order Returned', 'p5': 1}
