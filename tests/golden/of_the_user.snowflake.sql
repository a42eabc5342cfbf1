WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), events_read AS (
  SELECT
    t.ID,
    t.EVENT,
    t.USER_ID,
    t.TIMESTAMP,
    t.COLOUR
  FROM EVENTS AS t
  WHERE
    t.EVENT = 'Order Completed' AND t.TIMESTAMP <= (SELECT as_of FROM moment)
), users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.PLAN AS PLAN
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
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
), count_2 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_read AS e
  LEFT JOIN users_now
    ON users_now.user_id = e.USER_ID
  LEFT JOIN count_1
    ON count_1.user_id = e.USER_ID
  WHERE
    e.EVENT = 'Order Completed'
    AND e.TIMESTAMP <= (SELECT as_of FROM moment)
    AND (
      COALESCE(e.COLOUR = users_now.PLAN, FALSE)
      AND (
        users_now.user_id IS NOT NULL AND COALESCE(count_1.value, 0) >= 1
      )
    )
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_2
  ON count_2.user_id = users_now.user_id
WHERE
  COALESCE(count_2.value, 0) >= 1

-- executed:

WITH events_read AS (
  SELECT
    t.ID,
    t.EVENT,
    t.USER_ID,
    t.TIMESTAMP,
    t.COLOUR
  FROM EVENTS AS t
  WHERE
    t.EVENT = ? AND t.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
), users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.PLAN AS PLAN
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
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
), count_2 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_read AS e
  LEFT JOIN users_now
    ON users_now.user_id = e.USER_ID
  LEFT JOIN count_1
    ON count_1.user_id = e.USER_ID
  WHERE
    e.EVENT = ?
    AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
    AND (
      COALESCE(e.COLOUR = users_now.PLAN, FALSE)
      AND (
        users_now.user_id IS NOT NULL AND COALESCE(count_1.value, 0) >= ?
      )
    )
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_2
  ON count_2.user_id = users_now.user_id
WHERE
  COALESCE(count_2.value, 0) >= ?

-- with:
-- ['Order Completed', '2026-03-31 12:00:00', 'Order Completed', '2026-03-01 12:00:00', '2026-03-31 12:00:00', 'Order Completed', '2026-03-31 12:00:00', 1, 1]
