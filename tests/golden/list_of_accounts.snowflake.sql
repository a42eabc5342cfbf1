WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.SEATS AS SEATS,
    t.PLAN AS PLAN,
    t.BIRTHDAY AS BIRTHDAY
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
    AND (
      t.CREATED_AT IS NULL OR t.CREATED_AT <= (SELECT as_of FROM moment)
    )
), accounts_now AS (
  SELECT
    t.ACCOUNT_ID AS account_id,
    t.PLAN AS PLAN
  FROM ACCOUNTS AS t
  WHERE
    t.ACCOUNT_ID IS NOT NULL
), members_now AS (
  SELECT DISTINCT
    m.USER_ID AS user_id,
    m.ACCOUNT_ID AS account_id
  FROM MEMBERSHIPS AS m
  JOIN users_now
    ON users_now.user_id = m.USER_ID
  JOIN accounts_now
    ON accounts_now.account_id = m.ACCOUNT_ID
  WHERE
    (
      m.VALID_FROM IS NULL OR m.VALID_FROM <= (SELECT as_of FROM moment)
    )
    AND (
      m.VALID_TO IS NULL OR m.VALID_TO > (SELECT as_of FROM moment)
    )
), any_1 AS (
  SELECT DISTINCT
    members_now.account_id
  FROM members_now
  JOIN users_now
    ON users_now.user_id = members_now.user_id
  WHERE
    COALESCE(users_now.SEATS > 1, FALSE)
)
SELECT DISTINCT
  members_now.user_id,
  accounts_now.account_id,
  users_now.PLAN AS "plan",
  users_now.BIRTHDAY AS "birthday"
FROM accounts_now
LEFT JOIN any_1
  ON any_1.account_id = accounts_now.account_id
JOIN members_now
  ON members_now.account_id = accounts_now.account_id
JOIN users_now
  ON users_now.user_id = members_now.user_id
WHERE
  COALESCE(accounts_now.PLAN = 'pro', FALSE) AND any_1.account_id IS NOT NULL

-- executed:

WITH users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.SEATS AS SEATS,
    t.PLAN AS PLAN,
    t.BIRTHDAY AS BIRTHDAY
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
    AND (
      t.CREATED_AT IS NULL OR t.CREATED_AT <= CAST(? AS TIMESTAMPNTZ)
    )
), accounts_now AS (
  SELECT
    t.ACCOUNT_ID AS account_id,
    t.PLAN AS PLAN
  FROM ACCOUNTS AS t
  WHERE
    t.ACCOUNT_ID IS NOT NULL
), members_now AS (
  SELECT DISTINCT
    m.USER_ID AS user_id,
    m.ACCOUNT_ID AS account_id
  FROM MEMBERSHIPS AS m
  JOIN users_now
    ON users_now.user_id = m.USER_ID
  JOIN accounts_now
    ON accounts_now.account_id = m.ACCOUNT_ID
  WHERE
    (
      m.VALID_FROM IS NULL OR m.VALID_FROM <= CAST(? AS TIMESTAMPNTZ)
    )
    AND (
      m.VALID_TO IS NULL OR m.VALID_TO > CAST(? AS TIMESTAMPNTZ)
    )
), any_1 AS (
  SELECT DISTINCT
    members_now.account_id
  FROM members_now
  JOIN users_now
    ON users_now.user_id = members_now.user_id
  WHERE
    COALESCE(users_now.SEATS > ?, FALSE)
)
SELECT DISTINCT
  members_now.user_id,
  accounts_now.account_id,
  users_now.PLAN AS "plan",
  users_now.BIRTHDAY AS "birthday"
FROM accounts_now
LEFT JOIN any_1
  ON any_1.account_id = accounts_now.account_id
JOIN members_now
  ON members_now.account_id = accounts_now.account_id
JOIN users_now
  ON users_now.user_id = members_now.user_id
WHERE
  COALESCE(accounts_now.PLAN = ?, FALSE) AND any_1.account_id IS NOT NULL

-- with:
-- ['2026-03-31 12:00:00', '2026-03-31 12:00:00', '2026-03-31 12:00:00', 1, 'pro']
