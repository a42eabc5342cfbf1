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
    t.SEATS AS SEATS
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
  COALESCE(accounts_now.SEATS <= COALESCE(users_1.value, 0), FALSE)

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
    t.SEATS AS SEATS
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
  COALESCE(accounts_now.SEATS <= COALESCE(users_1.value, 0), FALSE)

-- with:
-- ['2026-03-31 12:00:00', '2026-03-31 12:00:00', '2026-03-31 12:00:00']
