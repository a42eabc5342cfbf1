WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.PLAN AS PLAN
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
    AND (
      t.CREATED_AT IS NULL OR t.CREATED_AT <= (SELECT as_of FROM moment)
    )
), accounts_now AS (
  SELECT
    t.ACCOUNT_ID AS account_id
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
    d.account_id,
    ARRAY_AGG(d.value) WITHIN GROUP (ORDER BY
      d.value) AS value
  FROM (
    SELECT DISTINCT
      members_now.account_id AS account_id,
      users_now.PLAN AS value
    FROM members_now
    JOIN users_now
      ON users_now.user_id = members_now.user_id
    WHERE
      users_now.PLAN IS NOT NULL
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
    t.USER_ID AS user_id,
    t.PLAN AS PLAN
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
    AND (
      t.CREATED_AT IS NULL OR t.CREATED_AT <= CAST(? AS TIMESTAMPNTZ)
    )
), accounts_now AS (
  SELECT
    t.ACCOUNT_ID AS account_id
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
    d.account_id,
    ARRAY_AGG(d.value) WITHIN GROUP (ORDER BY
      d.value) AS value
  FROM (
    SELECT DISTINCT
      members_now.account_id AS account_id,
      users_now.PLAN AS value
    FROM members_now
    JOIN users_now
      ON users_now.user_id = members_now.user_id
    WHERE
      users_now.PLAN IS NOT NULL
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
-- ['2026-03-31 12:00:00', '2026-03-31 12:00:00', '2026-03-31 12:00:00']
