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
), claims AS (
  SELECT
    c.anonymous_id,
    c.user_id
  FROM (
    SELECT
      i.ID_VALUE AS anonymous_id,
      i.USER_ID AS user_id,
      ROW_NUMBER() OVER (
        PARTITION BY i.ID_VALUE
        ORDER BY i.FIRST_SEEN_AT ASC NULLS FIRST, i.USER_ID ASC NULLS FIRST
      ) AS place
    FROM IDENTIFIERS AS i
    WHERE
      i.ID_VALUE IS NOT NULL
      AND i.USER_ID IS NOT NULL
      AND i.ID_TYPE = 'anonymous_id'
      AND (
        i.FIRST_SEEN_AT IS NULL OR i.FIRST_SEEN_AT <= (SELECT as_of FROM moment)
      )
  ) AS c
  WHERE
    c.place = 1
), events_of_users AS (
  SELECT
    COALESCE(e.USER_ID, claims.user_id) AS user_id,
    e.ID AS ID,
    e.EVENT AS EVENT,
    e.TIMESTAMP AS TIMESTAMP
  FROM EVENTS AS e
  LEFT JOIN claims
    ON claims.anonymous_id = e.ANONYMOUS_ID
  WHERE
    e.EVENT = 'Order Completed'
    AND e.TIMESTAMP > DATEADD(DAY, -30, (SELECT as_of FROM moment))
    AND e.TIMESTAMP <= (SELECT as_of FROM moment)
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_of_users AS e
  WHERE
    e.EVENT = 'Order Completed'
    AND e.TIMESTAMP > DATEADD(DAY, -30, (SELECT as_of FROM moment))
  GROUP BY
    e.user_id
), any_1 AS (
  SELECT DISTINCT
    members_now.account_id
  FROM members_now
  LEFT JOIN count_1
    ON count_1.user_id = members_now.user_id
  WHERE
    COALESCE(count_1.value, 0) >= 1
)
SELECT DISTINCT
  members_now.user_id,
  accounts_now.account_id,
  users_now.PLAN AS "plan"
FROM accounts_now
LEFT JOIN any_1
  ON any_1.account_id = accounts_now.account_id
JOIN members_now
  ON members_now.account_id = accounts_now.account_id
JOIN users_now
  ON users_now.user_id = members_now.user_id
WHERE
  NOT (
    COALESCE(users_now.PLAN = 'team', FALSE)
  )
  AND (
    any_1.account_id IS NOT NULL
    AND NOT (
      COALESCE(accounts_now.PLAN = 'free', FALSE)
    )
  )

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
), claims AS (
  SELECT
    c.anonymous_id,
    c.user_id
  FROM (
    SELECT
      i.ID_VALUE AS anonymous_id,
      i.USER_ID AS user_id,
      ROW_NUMBER() OVER (
        PARTITION BY i.ID_VALUE
        ORDER BY i.FIRST_SEEN_AT ASC NULLS FIRST, i.USER_ID ASC NULLS FIRST
      ) AS place
    FROM IDENTIFIERS AS i
    WHERE
      i.ID_VALUE IS NOT NULL
      AND i.USER_ID IS NOT NULL
      AND i.ID_TYPE = ?
      AND (
        i.FIRST_SEEN_AT IS NULL OR i.FIRST_SEEN_AT <= CAST(? AS TIMESTAMPNTZ)
      )
  ) AS c
  WHERE
    c.place = 1
), events_of_users AS (
  SELECT
    COALESCE(e.USER_ID, claims.user_id) AS user_id,
    e.ID AS ID,
    e.EVENT AS EVENT,
    e.TIMESTAMP AS TIMESTAMP
  FROM EVENTS AS e
  LEFT JOIN claims
    ON claims.anonymous_id = e.ANONYMOUS_ID
  WHERE
    e.EVENT = ?
    AND e.TIMESTAMP > CAST(? AS TIMESTAMPNTZ)
    AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_of_users AS e
  WHERE
    e.EVENT = ? AND e.TIMESTAMP > CAST(? AS TIMESTAMPNTZ)
  GROUP BY
    e.user_id
), any_1 AS (
  SELECT DISTINCT
    members_now.account_id
  FROM members_now
  LEFT JOIN count_1
    ON count_1.user_id = members_now.user_id
  WHERE
    COALESCE(count_1.value, 0) >= ?
)
SELECT DISTINCT
  members_now.user_id,
  accounts_now.account_id,
  users_now.PLAN AS "plan"
FROM accounts_now
LEFT JOIN any_1
  ON any_1.account_id = accounts_now.account_id
JOIN members_now
  ON members_now.account_id = accounts_now.account_id
JOIN users_now
  ON users_now.user_id = members_now.user_id
WHERE
  NOT (
    COALESCE(users_now.PLAN = ?, FALSE)
  )
  AND (
    any_1.account_id IS NOT NULL
    AND NOT (
      COALESCE(accounts_now.PLAN = ?, FALSE)
    )
  )

-- with:
-- ['2026-03-31 12:00:00', '2026-03-31 12:00:00', '2026-03-31 12:00:00', 'anonymous_id', '2026-03-31 12:00:00', 'Order Completed', '2026-03-01 12:00:00', '2026-03-31 12:00:00', 'Order Completed', '2026-03-01 12:00:00', 1, 'team', 'free']
