WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
    AND (
      t.CREATED_AT IS NULL OR t.CREATED_AT <= (SELECT as_of FROM moment)
    )
), accounts_now AS (
  SELECT
    t.ACCOUNT_ID AS account_id,
    t.SEATS AS SEATS,
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
), accounts_1 AS (
  SELECT DISTINCT
    members_now.user_id
  FROM members_now
  JOIN accounts_now
    ON accounts_now.account_id = members_now.account_id
  WHERE
    COALESCE(accounts_now.SEATS >= 3, FALSE)
), accounts_2 AS (
  SELECT DISTINCT
    members_now.user_id
  FROM members_now
  JOIN accounts_now
    ON accounts_now.account_id = members_now.account_id
  WHERE
    COALESCE(accounts_now.PLAN = 'free', FALSE)
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
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
    AND (
      t.CREATED_AT IS NULL OR t.CREATED_AT <= CAST(? AS TIMESTAMPNTZ)
    )
), accounts_now AS (
  SELECT
    t.ACCOUNT_ID AS account_id,
    t.SEATS AS SEATS,
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
), accounts_1 AS (
  SELECT DISTINCT
    members_now.user_id
  FROM members_now
  JOIN accounts_now
    ON accounts_now.account_id = members_now.account_id
  WHERE
    COALESCE(accounts_now.SEATS >= ?, FALSE)
), accounts_2 AS (
  SELECT DISTINCT
    members_now.user_id
  FROM members_now
  JOIN accounts_now
    ON accounts_now.account_id = members_now.account_id
  WHERE
    COALESCE(accounts_now.PLAN = ?, FALSE)
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
-- ['2026-03-31 12:00:00', '2026-03-31 12:00:00', '2026-03-31 12:00:00', 3, 'free']
