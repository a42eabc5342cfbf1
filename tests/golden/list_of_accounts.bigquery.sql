WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS DATETIME) AS as_of
), users_now AS (
  SELECT
    t.user_id AS user_id,
    t.seats AS seats,
    t.plan AS plan,
    t.birthday AS birthday
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
), any_1 AS (
  SELECT DISTINCT
    members_now.account_id
  FROM members_now
  JOIN users_now
    ON users_now.user_id = members_now.user_id
  WHERE
    COALESCE(users_now.seats > 1, FALSE)
)
SELECT DISTINCT
  members_now.user_id,
  accounts_now.account_id,
  users_now.plan AS plan,
  users_now.birthday AS birthday
FROM accounts_now
LEFT JOIN any_1
  ON any_1.account_id = accounts_now.account_id
JOIN members_now
  ON members_now.account_id = accounts_now.account_id
JOIN users_now
  ON users_now.user_id = members_now.user_id
WHERE
  COALESCE(accounts_now.plan = 'pro', FALSE) AND any_1.account_id IS NOT NULL

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id,
    t.seats AS seats,
    t.plan AS plan,
    t.birthday AS birthday
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL AND (
      t.created_at IS NULL OR t.created_at <= @p2
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
      m.valid_from IS NULL OR m.valid_from <= @p2
    )
    AND (
      m.valid_to IS NULL OR m.valid_to > @p2
    )
), any_1 AS (
  SELECT DISTINCT
    members_now.account_id
  FROM members_now
  JOIN users_now
    ON users_now.user_id = members_now.user_id
  WHERE
    COALESCE(users_now.seats > @p3, FALSE)
)
SELECT DISTINCT
  members_now.user_id,
  accounts_now.account_id,
  users_now.plan AS plan,
  users_now.birthday AS birthday
FROM accounts_now
LEFT JOIN any_1
  ON any_1.account_id = accounts_now.account_id
JOIN members_now
  ON members_now.account_id = accounts_now.account_id
JOIN users_now
  ON users_now.user_id = members_now.user_id
WHERE
  COALESCE(accounts_now.plan = @p1, FALSE) AND any_1.account_id IS NOT NULL

-- with:
-- {'p1': 'pro', 'p2': datetime.datetime(2026, 3, 31, 12, 0), 'p3': 1}
