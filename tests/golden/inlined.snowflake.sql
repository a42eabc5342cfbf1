WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), events_read AS (
  SELECT
    t.ID,
    t.EVENT,
    t.USER_ID,
    t.TIMESTAMP,
    t.AMOUNT
  FROM EVENTS AS t
  WHERE
    t.EVENT = 'Order Completed' AND t.TIMESTAMP <= (SELECT as_of FROM moment)
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
    COUNT(DISTINCT e.ID) AS value
  FROM events_read AS e
  WHERE
    e.EVENT = 'Order Completed'
    AND e.TIMESTAMP > DATEADD(DAY, -30, (SELECT as_of FROM moment))
    AND e.TIMESTAMP <= (SELECT as_of FROM moment)
  GROUP BY
    e.USER_ID
), sum_1 AS (
  SELECT
    members_now.account_id AS account_id,
    SUM(e.AMOUNT) AS value
  FROM events_read AS e
  JOIN members_now
    ON members_now.user_id = e.USER_ID
  WHERE
    e.EVENT = 'Order Completed' AND e.TIMESTAMP <= (SELECT as_of FROM moment)
  GROUP BY
    members_now.account_id
), accounts_1 AS (
  SELECT DISTINCT
    members_now.user_id
  FROM members_now
  LEFT JOIN sum_1
    ON sum_1.account_id = members_now.account_id
  WHERE
    COALESCE(sum_1.value, 0) > 1000
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
LEFT JOIN accounts_1
  ON accounts_1.user_id = users_now.user_id
WHERE
  NOT (
    COALESCE(count_1.value, 0) >= 1
  ) AND accounts_1.user_id IS NOT NULL

-- executed:

WITH events_read AS (
  SELECT
    t.ID,
    t.EVENT,
    t.USER_ID,
    t.TIMESTAMP,
    t.AMOUNT
  FROM EVENTS AS t
  WHERE
    t.EVENT = ? AND t.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
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
      m.VALID_FROM IS NULL OR m.VALID_FROM <= CAST(? AS TIMESTAMPNTZ)
    )
    AND (
      m.VALID_TO IS NULL OR m.VALID_TO > CAST(? AS TIMESTAMPNTZ)
    )
), count_1 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_read AS e
  WHERE
    e.EVENT = ?
    AND e.TIMESTAMP > CAST(? AS TIMESTAMPNTZ)
    AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
  GROUP BY
    e.USER_ID
), sum_1 AS (
  SELECT
    members_now.account_id AS account_id,
    SUM(e.AMOUNT) AS value
  FROM events_read AS e
  JOIN members_now
    ON members_now.user_id = e.USER_ID
  WHERE
    e.EVENT = ? AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
  GROUP BY
    members_now.account_id
), accounts_1 AS (
  SELECT DISTINCT
    members_now.user_id
  FROM members_now
  LEFT JOIN sum_1
    ON sum_1.account_id = members_now.account_id
  WHERE
    COALESCE(sum_1.value, 0) > ?
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
LEFT JOIN accounts_1
  ON accounts_1.user_id = users_now.user_id
WHERE
  NOT (
    COALESCE(count_1.value, 0) >= ?
  ) AND accounts_1.user_id IS NOT NULL

-- with:
-- ['Order Completed', '2026-03-31 12:00:00', '2026-03-31 12:00:00', '2026-03-31 12:00:00', 'Order Completed', '2026-03-01 12:00:00', '2026-03-31 12:00:00', 'Order Completed', '2026-03-31 12:00:00', 1000, 1]
