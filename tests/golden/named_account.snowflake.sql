WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
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
), count_1 AS (
  SELECT
    e.USER_ID AS user_id,
    e.GROUP_ID AS account_id,
    COUNT(DISTINCT e.ID) AS value
  FROM EVENTS AS e
  JOIN accounts_now
    ON accounts_now.account_id = e.GROUP_ID
  WHERE
    e.EVENT = 'Order Completed' AND e.TIMESTAMP <= (SELECT as_of FROM moment)
  GROUP BY
    e.USER_ID,
    e.GROUP_ID
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
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
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
), count_1 AS (
  SELECT
    e.USER_ID AS user_id,
    e.GROUP_ID AS account_id,
    COUNT(DISTINCT e.ID) AS value
  FROM EVENTS AS e
  JOIN accounts_now
    ON accounts_now.account_id = e.GROUP_ID
  WHERE
    e.EVENT = ? AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
  GROUP BY
    e.USER_ID,
    e.GROUP_ID
), any_1 AS (
  SELECT DISTINCT
    members_now.account_id
  FROM members_now
  LEFT JOIN count_1
    ON count_1.user_id = members_now.user_id
    AND count_1.account_id = members_now.account_id
  WHERE
    COALESCE(count_1.value, 0) >= ?
)
SELECT DISTINCT
  accounts_now.account_id
FROM accounts_now
LEFT JOIN any_1
  ON any_1.account_id = accounts_now.account_id
WHERE
  any_1.account_id IS NOT NULL

-- with:
-- ['2026-03-31 12:00:00', '2026-03-31 12:00:00', 'Order Completed', '2026-03-31 12:00:00', 5]
