WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMP) AS as_of
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
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
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    e.group_id AS account_id,
    COUNT(DISTINCT e.id) AS value
  FROM events AS e
  JOIN accounts_now
    ON accounts_now.account_id = e.group_id
  WHERE
    e.event = 'Order Completed' AND e.timestamp <= (SELECT as_of FROM moment)
  GROUP BY
    e.user_id,
    e.group_id
), any_1 AS (
  SELECT DISTINCT
    members_now.account_id
  FROM members_now
  LEFT JOIN count_1
    ON count_1.user_id = members_now.user_id
    AND count_1.account_id = members_now.account_id
  WHERE
    COALESCE(count_1.value, 0) >= 5
)
SELECT DISTINCT
  accounts_now.account_id
FROM accounts_now
LEFT JOIN any_1
  ON any_1.account_id = accounts_now.account_id
WHERE
  any_1.account_id IS NOT NULL

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
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
      m.valid_from IS NULL OR m.valid_from <= $p1
    )
    AND (
      m.valid_to IS NULL OR m.valid_to > $p1
    )
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    e.group_id AS account_id,
    COUNT(DISTINCT e.id) AS value
  FROM events AS e
  JOIN accounts_now
    ON accounts_now.account_id = e.group_id
  WHERE
    e.event = $p2 AND e.timestamp <= $p1
  GROUP BY
    e.user_id,
    e.group_id
), any_1 AS (
  SELECT DISTINCT
    members_now.account_id
  FROM members_now
  LEFT JOIN count_1
    ON count_1.user_id = members_now.user_id
    AND count_1.account_id = members_now.account_id
  WHERE
    COALESCE(count_1.value, 0) >= $p3
)
SELECT DISTINCT
  accounts_now.account_id
FROM accounts_now
LEFT JOIN any_1
  ON any_1.account_id = accounts_now.account_id
WHERE
  any_1.account_id IS NOT NULL

-- with:
-- {'p1': datetime.datetime(2026, 3, 31, 12, 0), 'p2': 'Order Completed', 'p3': 5}
