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
    AND e.TIMESTAMP <= DATEADD(HOUR, 36, p.happened_at)
  WHERE
    e.EVENT = 'Order Returned'
  GROUP BY
    p.user_id,
    p.happened_at
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_of_users AS e
  LEFT JOIN count_after_1
    ON count_after_1.user_id = e.user_id AND count_after_1.happened_at = e.TIMESTAMP
  WHERE
    e.EVENT = 'Order Completed'
    AND (
      NOT (
        COALESCE(count_after_1.value, 0) >= 1
      )
      AND e.TIMESTAMP <= DATEADD(HOUR, -36, (SELECT as_of FROM moment))
    )
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) >= 2

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
    AND e.TIMESTAMP <= DATEADD(HOUR, 36, p.happened_at)
  WHERE
    e.EVENT = ?
  GROUP BY
    p.user_id,
    p.happened_at
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_of_users AS e
  LEFT JOIN count_after_1
    ON count_after_1.user_id = e.user_id AND count_after_1.happened_at = e.TIMESTAMP
  WHERE
    e.EVENT = ?
    AND (
      NOT (
        COALESCE(count_after_1.value, 0) >= ?
      )
      AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
    )
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) >= ?

-- with:
-- ['2026-03-31 12:00:00', 'anonymous_id', '2026-03-31 12:00:00', 'Order Completed', 'Order Returned', '2026-03-31 12:00:00', 'Order Completed', 'Order Returned', 'Order Completed', 1, '2026-03-30 00:00:00', 2]
