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
    t.account_id AS account_id,
    t.seats AS seats
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
), users_1 AS (
  SELECT
    members_now.account_id AS account_id,
    COUNT(DISTINCT members_now.user_id) AS value
  FROM members_now
  GROUP BY
    members_now.account_id
)
SELECT DISTINCT
  accounts_now.account_id
FROM accounts_now
LEFT JOIN users_1
  ON users_1.account_id = accounts_now.account_id
WHERE
  COALESCE(accounts_now.seats <= COALESCE(users_1.value, 0), FALSE)

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL AND (
      t.created_at IS NULL OR t.created_at <= @p1
    )
), accounts_now AS (
  SELECT
    t.account_id AS account_id,
    t.seats AS seats
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
      m.valid_from IS NULL OR m.valid_from <= @p1
    )
    AND (
      m.valid_to IS NULL OR m.valid_to > @p1
    )
), users_1 AS (
  SELECT
    members_now.account_id AS account_id,
    COUNT(DISTINCT members_now.user_id) AS value
  FROM members_now
  GROUP BY
    members_now.account_id
)
SELECT DISTINCT
  accounts_now.account_id
FROM accounts_now
LEFT JOIN users_1
  ON users_1.account_id = accounts_now.account_id
WHERE
  COALESCE(accounts_now.seats <= COALESCE(users_1.value, 0), FALSE)

-- with:
-- {'p1': datetime.datetime(2026, 3, 31, 12, 0)}
