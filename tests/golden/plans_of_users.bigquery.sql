WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS DATETIME) AS as_of
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
), users_1 AS (
  SELECT
    d.account_id,
    ARRAY_AGG(d.value ORDER BY d.value) AS value
  FROM (
    SELECT DISTINCT
      members_now.account_id AS account_id,
      users_now.plan AS value
    FROM members_now
    JOIN users_now
      ON users_now.user_id = members_now.user_id
    WHERE
      users_now.plan IS NOT NULL
  ) AS d
  GROUP BY
    d.account_id
)
SELECT DISTINCT
  accounts_now.account_id,
  users_1.value AS value
FROM accounts_now
LEFT JOIN users_1
  ON users_1.account_id = accounts_now.account_id
WHERE
  users_1.value IS NOT NULL

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id,
    t.plan AS plan
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL AND (
      t.created_at IS NULL OR t.created_at <= @p1
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
      m.valid_from IS NULL OR m.valid_from <= @p1
    )
    AND (
      m.valid_to IS NULL OR m.valid_to > @p1
    )
), users_1 AS (
  SELECT
    d.account_id,
    ARRAY_AGG(d.value ORDER BY d.value) AS value
  FROM (
    SELECT DISTINCT
      members_now.account_id AS account_id,
      users_now.plan AS value
    FROM members_now
    JOIN users_now
      ON users_now.user_id = members_now.user_id
    WHERE
      users_now.plan IS NOT NULL
  ) AS d
  GROUP BY
    d.account_id
)
SELECT DISTINCT
  accounts_now.account_id,
  users_1.value AS value
FROM accounts_now
LEFT JOIN users_1
  ON users_1.account_id = accounts_now.account_id
WHERE
  users_1.value IS NOT NULL

-- with:
-- {'p1': datetime.datetime(2026, 3, 31, 12, 0)}
