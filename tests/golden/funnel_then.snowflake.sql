WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), memberships_read AS (
  SELECT
    t.USER_ID,
    t.ACCOUNT_ID,
    t.VALID_FROM,
    t.VALID_TO
  FROM MEMBERSHIPS AS t
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
    t.ACCOUNT_ID AS account_id
  FROM ACCOUNTS AS t
  WHERE
    t.ACCOUNT_ID IS NOT NULL
), members_now AS (
  SELECT DISTINCT
    m.USER_ID AS user_id,
    m.ACCOUNT_ID AS account_id
  FROM memberships_read AS m
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
), members_ever AS (
  SELECT DISTINCT
    m.USER_ID AS user_id,
    m.ACCOUNT_ID AS account_id
  FROM memberships_read AS m
  JOIN users_now
    ON users_now.user_id = m.USER_ID
  JOIN accounts_now
    ON accounts_now.account_id = m.ACCOUNT_ID
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
    e.EVENT IN ('Order Completed', 'Order Returned')
    AND e.TIMESTAMP <= (SELECT as_of FROM moment)
), count_after_1 AS (
  SELECT
    p.user_id AS user_id,
    p.happened_at AS happened_at,
    COUNT(DISTINCT e.ID) AS value
  FROM (
    SELECT DISTINCT
      e.user_id AS user_id,
      e.TIMESTAMP AS happened_at
    FROM events_of_users AS e
    WHERE
      e.EVENT = 'Order Completed' AND e.user_id IS NOT NULL
  ) AS p
  JOIN events_of_users AS e
    ON e.user_id = p.user_id
    AND e.TIMESTAMP > p.happened_at
    AND e.TIMESTAMP <= DATEADD(DAY, 20, p.happened_at)
  WHERE
    e.EVENT = 'Order Returned'
  GROUP BY
    p.user_id,
    p.happened_at
), count_1 AS (
  SELECT
    members_now.account_id AS account_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_of_users AS e
  JOIN members_ever AS members_now
    ON members_now.user_id = e.user_id
  LEFT JOIN count_after_1
    ON count_after_1.user_id = e.user_id AND count_after_1.happened_at = e.TIMESTAMP
  WHERE
    EXISTS(
      SELECT
        1
      FROM memberships_read AS m
      WHERE
        m.USER_ID = members_now.user_id
        AND m.ACCOUNT_ID = members_now.account_id
        AND (
          m.VALID_FROM IS NULL OR m.VALID_FROM <= e.TIMESTAMP
        )
        AND (
          m.VALID_TO IS NULL OR m.VALID_TO > e.TIMESTAMP
        )
    )
    AND (
      e.EVENT = 'Order Completed' AND COALESCE(count_after_1.value, 0) >= 1
    )
  GROUP BY
    members_now.account_id
)
SELECT DISTINCT
  accounts_now.account_id,
  COALESCE(count_1.value, 0) AS value
FROM accounts_now
LEFT JOIN count_1
  ON count_1.account_id = accounts_now.account_id

-- executed:

WITH memberships_read AS (
  SELECT
    t.USER_ID,
    t.ACCOUNT_ID,
    t.VALID_FROM,
    t.VALID_TO
  FROM MEMBERSHIPS AS t
), users_now AS (
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
    t.ACCOUNT_ID AS account_id
  FROM ACCOUNTS AS t
  WHERE
    t.ACCOUNT_ID IS NOT NULL
), members_now AS (
  SELECT DISTINCT
    m.USER_ID AS user_id,
    m.ACCOUNT_ID AS account_id
  FROM memberships_read AS m
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
), members_ever AS (
  SELECT DISTINCT
    m.USER_ID AS user_id,
    m.ACCOUNT_ID AS account_id
  FROM memberships_read AS m
  JOIN users_now
    ON users_now.user_id = m.USER_ID
  JOIN accounts_now
    ON accounts_now.account_id = m.ACCOUNT_ID
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
    e.EVENT IN (?, ?) AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
), count_after_1 AS (
  SELECT
    p.user_id AS user_id,
    p.happened_at AS happened_at,
    COUNT(DISTINCT e.ID) AS value
  FROM (
    SELECT DISTINCT
      e.user_id AS user_id,
      e.TIMESTAMP AS happened_at
    FROM events_of_users AS e
    WHERE
      e.EVENT = ? AND e.user_id IS NOT NULL
  ) AS p
  JOIN events_of_users AS e
    ON e.user_id = p.user_id
    AND e.TIMESTAMP > p.happened_at
    AND e.TIMESTAMP <= DATEADD(DAY, 20, p.happened_at)
  WHERE
    e.EVENT = ?
  GROUP BY
    p.user_id,
    p.happened_at
), count_1 AS (
  SELECT
    members_now.account_id AS account_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_of_users AS e
  JOIN members_ever AS members_now
    ON members_now.user_id = e.user_id
  LEFT JOIN count_after_1
    ON count_after_1.user_id = e.user_id AND count_after_1.happened_at = e.TIMESTAMP
  WHERE
    EXISTS(
      SELECT
        1
      FROM memberships_read AS m
      WHERE
        m.USER_ID = members_now.user_id
        AND m.ACCOUNT_ID = members_now.account_id
        AND (
          m.VALID_FROM IS NULL OR m.VALID_FROM <= e.TIMESTAMP
        )
        AND (
          m.VALID_TO IS NULL OR m.VALID_TO > e.TIMESTAMP
        )
    )
    AND (
      e.EVENT = ? AND COALESCE(count_after_1.value, 0) >= ?
    )
  GROUP BY
    members_now.account_id
)
SELECT DISTINCT
  accounts_now.account_id,
  COALESCE(count_1.value, 0) AS value
FROM accounts_now
LEFT JOIN count_1
  ON count_1.account_id = accounts_now.account_id

-- with:
-- ['2026-03-31 12:00:00', '2026-03-31 12:00:00', '2026-03-31 12:00:00', 'anonymous_id', '2026-03-31 12:00:00', 'Order Completed', 'Order Returned', '2026-03-31 12:00:00', 'Order Completed', 'Order Returned', 'Order Completed', 1]
