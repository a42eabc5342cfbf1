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
), avg_1 AS (
  SELECT
    e.USER_ID AS user_id,
    AVG(CAST(e.AMOUNT AS DOUBLE)) AS value
  FROM events_read AS e
  WHERE
    e.EVENT = 'Order Completed' AND e.TIMESTAMP <= (SELECT as_of FROM moment)
  GROUP BY
    e.USER_ID
), count_1 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_read AS e
  LEFT JOIN avg_1
    ON avg_1.user_id = e.USER_ID
  LEFT JOIN users_now
    ON users_now.user_id = e.USER_ID
  WHERE
    e.EVENT = 'Order Completed'
    AND e.TIMESTAMP > DATEADD(DAY, -60, (SELECT as_of FROM moment))
    AND e.TIMESTAMP <= (SELECT as_of FROM moment)
    AND COALESCE(e.AMOUNT >= CASE WHEN users_now.user_id IS NOT NULL THEN avg_1.value END, FALSE)
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) >= 1

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
), avg_1 AS (
  SELECT
    e.USER_ID AS user_id,
    AVG(CAST(e.AMOUNT AS DOUBLE)) AS value
  FROM events_read AS e
  WHERE
    e.EVENT = ? AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
  GROUP BY
    e.USER_ID
), count_1 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM events_read AS e
  LEFT JOIN avg_1
    ON avg_1.user_id = e.USER_ID
  LEFT JOIN users_now
    ON users_now.user_id = e.USER_ID
  WHERE
    e.EVENT = ?
    AND e.TIMESTAMP > CAST(? AS TIMESTAMPNTZ)
    AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
    AND COALESCE(e.AMOUNT >= CASE WHEN users_now.user_id IS NOT NULL THEN avg_1.value END, FALSE)
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) >= ?

-- with:
-- ['Order Completed', '2026-03-31 12:00:00', 'Order Completed', '2026-03-31 12:00:00', 'Order Completed', '2026-01-30 12:00:00', '2026-03-31 12:00:00', 1]
