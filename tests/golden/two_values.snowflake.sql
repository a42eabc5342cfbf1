WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), events_read AS (
  SELECT
    t.ID,
    t.EVENT,
    t.USER_ID,
    t.TIMESTAMP
  FROM EVENTS AS t
  WHERE
    t.EVENT IN ('Order Completed', 'Order Returned')
    AND t.TIMESTAMP <= (SELECT as_of FROM moment)
), users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), count_1 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_read AS e
  WHERE
    e.EVENT = 'Order Completed' AND e.TIMESTAMP <= (SELECT as_of FROM moment)
  GROUP BY
    e.USER_ID
), count_2 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_read AS e
  WHERE
    e.EVENT = 'Order Returned' AND e.TIMESTAMP <= (SELECT as_of FROM moment)
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
LEFT JOIN count_2
  ON count_2.user_id = users_now.user_id
WHERE
  COALESCE(COALESCE(count_1.value, 0) > COALESCE(count_2.value, 0), FALSE)

-- executed:

WITH events_read AS (
  SELECT
    t.ID,
    t.EVENT,
    t.USER_ID,
    t.TIMESTAMP
  FROM EVENTS AS t
  WHERE
    t.EVENT IN (?, ?) AND t.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
), users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), count_1 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_read AS e
  WHERE
    e.EVENT = ? AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
  GROUP BY
    e.USER_ID
), count_2 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_read AS e
  WHERE
    e.EVENT = ? AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
LEFT JOIN count_2
  ON count_2.user_id = users_now.user_id
WHERE
  COALESCE(COALESCE(count_1.value, 0) > COALESCE(count_2.value, 0), FALSE)

-- with:
-- ['Order Completed', 'Order Returned', '2026-03-31 12:00:00', 'Order Completed', '2026-03-31 12:00:00', 'Order Returned', '2026-03-31 12:00:00']
