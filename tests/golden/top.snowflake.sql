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
    e.TIMESTAMP AS TIMESTAMP,
    e.AMOUNT AS AMOUNT
  FROM EVENTS AS e
  LEFT JOIN claims
    ON claims.anonymous_id = e.ANONYMOUS_ID
  WHERE
    e.EVENT = 'Order Completed' AND e.TIMESTAMP <= (SELECT as_of FROM moment)
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
), sum_1 AS (
  SELECT
    e.user_id AS user_id,
    SUM(e.AMOUNT) AS value
  FROM events_of_users AS e
  WHERE
    e.EVENT = 'Order Completed'
  GROUP BY
    e.user_id
), top_1 AS (
  SELECT
    w.user_id
  FROM (
    SELECT
      v.user_id,
      ROW_NUMBER() OVER (ORDER BY v.value DESC NULLS LAST, v.user_id ASC NULLS FIRST) AS place
    FROM (
      SELECT DISTINCT
        users_now.user_id AS user_id,
        COALESCE(sum_1.value, 0) AS value
      FROM users_now
      LEFT JOIN count_1
        ON count_1.user_id = users_now.user_id
      LEFT JOIN sum_1
        ON sum_1.user_id = users_now.user_id
      WHERE
        COALESCE(count_1.value, 0) >= 1 AND COALESCE(sum_1.value, 0) IS NOT NULL
    ) AS v
  ) AS w
  WHERE
    w.place <= 100
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN top_1
  ON top_1.user_id = users_now.user_id
WHERE
  top_1.user_id IS NOT NULL

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
    e.TIMESTAMP AS TIMESTAMP,
    e.AMOUNT AS AMOUNT
  FROM EVENTS AS e
  LEFT JOIN claims
    ON claims.anonymous_id = e.ANONYMOUS_ID
  WHERE
    e.EVENT = ? AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_of_users AS e
  WHERE
    e.EVENT = ? AND e.TIMESTAMP > CAST(? AS TIMESTAMPNTZ)
  GROUP BY
    e.user_id
), sum_1 AS (
  SELECT
    e.user_id AS user_id,
    SUM(e.AMOUNT) AS value
  FROM events_of_users AS e
  WHERE
    e.EVENT = ?
  GROUP BY
    e.user_id
), top_1 AS (
  SELECT
    w.user_id
  FROM (
    SELECT
      v.user_id,
      ROW_NUMBER() OVER (ORDER BY v.value DESC NULLS LAST, v.user_id ASC NULLS FIRST) AS place
    FROM (
      SELECT DISTINCT
        users_now.user_id AS user_id,
        COALESCE(sum_1.value, 0) AS value
      FROM users_now
      LEFT JOIN count_1
        ON count_1.user_id = users_now.user_id
      LEFT JOIN sum_1
        ON sum_1.user_id = users_now.user_id
      WHERE
        COALESCE(count_1.value, 0) >= ? AND COALESCE(sum_1.value, 0) IS NOT NULL
    ) AS v
  ) AS w
  WHERE
    w.place <= ?
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN top_1
  ON top_1.user_id = users_now.user_id
WHERE
  top_1.user_id IS NOT NULL

-- with:
-- ['2026-03-31 12:00:00', 'anonymous_id', '2026-03-31 12:00:00', 'Order Completed', '2026-03-31 12:00:00', 'Order Completed', '2026-03-01 12:00:00', 'Order Completed', 1, 100]
