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
    t.seats AS seats,
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
), accounts_1 AS (
  SELECT DISTINCT
    members_now.user_id
  FROM members_now
  JOIN accounts_now
    ON accounts_now.account_id = members_now.account_id
  WHERE
    COALESCE(accounts_now.seats >= 3, FALSE)
), accounts_2 AS (
  SELECT DISTINCT
    members_now.user_id
  FROM members_now
  JOIN accounts_now
    ON accounts_now.account_id = members_now.account_id
  WHERE
    COALESCE(accounts_now.plan = 'free', FALSE)
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN accounts_1
  ON accounts_1.user_id = users_now.user_id
LEFT JOIN accounts_2
  ON accounts_2.user_id = users_now.user_id
WHERE
  accounts_1.user_id IS NOT NULL AND accounts_2.user_id IS NULL

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
    t.seats AS seats,
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
      m.valid_from IS NULL OR m.valid_from <= @p1
    )
    AND (
      m.valid_to IS NULL OR m.valid_to > @p1
    )
), accounts_1 AS (
  SELECT DISTINCT
    members_now.user_id
  FROM members_now
  JOIN accounts_now
    ON accounts_now.account_id = members_now.account_id
  WHERE
    COALESCE(accounts_now.seats >= @p2, FALSE)
), accounts_2 AS (
  SELECT DISTINCT
    members_now.user_id
  FROM members_now
  JOIN accounts_now
    ON accounts_now.account_id = members_now.account_id
  WHERE
    COALESCE(accounts_now.plan = @p3, FALSE)
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN accounts_1
  ON accounts_1.user_id = users_now.user_id
LEFT JOIN accounts_2
  ON accounts_2.user_id = users_now.user_id
WHERE
  accounts_1.user_id IS NOT NULL AND accounts_2.user_id IS NULL

-- with:
-- {'p1': datetime.datetime(2026, 3, 31, 12, 0), 'p2': 3, 'p3': 'free'}
