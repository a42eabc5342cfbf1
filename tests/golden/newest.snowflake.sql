WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), events_read AS (
  SELECT
    t.TIMESTAMP,
    t.EVENT,
    t.USER_ID,
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
), max_1 AS (
  SELECT
    e.USER_ID AS user_id,
    MAX(e.TIMESTAMP) AS value
  FROM events_read AS e
  WHERE
    e.EVENT = 'Order Completed' AND e.TIMESTAMP <= (SELECT as_of FROM moment)
  GROUP BY
    e.USER_ID
), min_1 AS (
  SELECT
    e.USER_ID AS user_id,
    MIN(e.AMOUNT) AS value
  FROM events_read AS e
  WHERE
    e.EVENT = 'Order Completed' AND e.TIMESTAMP <= (SELECT as_of FROM moment)
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN max_1
  ON max_1.user_id = users_now.user_id
LEFT JOIN min_1
  ON min_1.user_id = users_now.user_id
WHERE
  COALESCE(max_1.value <= DATEADD(DAY, -10, (SELECT as_of FROM moment)), FALSE)
  AND COALESCE(min_1.value < 20, FALSE)

-- executed:

WITH events_read AS (
  SELECT
    t.TIMESTAMP,
    t.EVENT,
    t.USER_ID,
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
), max_1 AS (
  SELECT
    e.USER_ID AS user_id,
    MAX(e.TIMESTAMP) AS value
  FROM events_read AS e
  WHERE
    e.EVENT = ? AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
  GROUP BY
    e.USER_ID
), min_1 AS (
  SELECT
    e.USER_ID AS user_id,
    MIN(e.AMOUNT) AS value
  FROM events_read AS e
  WHERE
    e.EVENT = ? AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN max_1
  ON max_1.user_id = users_now.user_id
LEFT JOIN min_1
  ON min_1.user_id = users_now.user_id
WHERE
  COALESCE(max_1.value <= CAST(? AS TIMESTAMPNTZ), FALSE)
  AND COALESCE(min_1.value < ?, FALSE)

-- with:
-- ['Order Completed', '2026-03-31 12:00:00', 'Order Completed', '2026-03-31 12:00:00', 'Order Completed', '2026-03-31 12:00:00', '2026-03-21 12:00:00', 20]
