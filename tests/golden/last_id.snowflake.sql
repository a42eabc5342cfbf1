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
    e.TIMESTAMP AS TIMESTAMP,
    e.EVENT AS EVENT
  FROM EVENTS AS e
  LEFT JOIN claims
    ON claims.anonymous_id = e.ANONYMOUS_ID
  WHERE
    e.EVENT = 'Order Completed' AND e.TIMESTAMP <= (SELECT as_of FROM moment)
), last_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.user_id AS user_id,
      e.ID AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.user_id
        ORDER BY e.TIMESTAMP DESC NULLS LAST, e.ID DESC NULLS LAST, e.ID DESC NULLS LAST
      ) AS place
    FROM events_of_users AS e
    WHERE
      e.EVENT = 'Order Completed' AND e.ID IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id,
  last_1.value AS value
FROM users_now
LEFT JOIN last_1
  ON last_1.user_id = users_now.user_id
WHERE
  last_1.value IS NOT NULL

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
    e.TIMESTAMP AS TIMESTAMP,
    e.EVENT AS EVENT
  FROM EVENTS AS e
  LEFT JOIN claims
    ON claims.anonymous_id = e.ANONYMOUS_ID
  WHERE
    e.EVENT = ? AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
), last_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.user_id AS user_id,
      e.ID AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.user_id
        ORDER BY e.TIMESTAMP DESC NULLS LAST, e.ID DESC NULLS LAST, e.ID DESC NULLS LAST
      ) AS place
    FROM events_of_users AS e
    WHERE
      e.EVENT = ? AND e.ID IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id,
  last_1.value AS value
FROM users_now
LEFT JOIN last_1
  ON last_1.user_id = users_now.user_id
WHERE
  last_1.value IS NOT NULL

-- with:
-- ['2026-03-31 12:00:00', 'anonymous_id', '2026-03-31 12:00:00', 'Order Completed', '2026-03-31 12:00:00', 'Order Completed']
