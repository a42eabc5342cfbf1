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
), min_1 AS (
  SELECT
    e.USER_ID AS user_id,
    MIN(e.COLOUR) AS value
  FROM EVENTS AS e
  WHERE
    e.EVENT = 'Order Completed' AND e.TIMESTAMP <= (SELECT as_of FROM moment)
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN min_1
  ON min_1.user_id = users_now.user_id
WHERE
  (
    COALESCE(min_1.value < 'b', FALSE) OR COALESCE(users_now.PLAN >= 'pro', FALSE)
  )

-- executed:

WITH users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.PLAN AS PLAN
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), min_1 AS (
  SELECT
    e.USER_ID AS user_id,
    MIN(e.COLOUR) AS value
  FROM EVENTS AS e
  WHERE
    e.EVENT = ? AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN min_1
  ON min_1.user_id = users_now.user_id
WHERE
  (
    COALESCE(min_1.value < ?, FALSE) OR COALESCE(users_now.PLAN >= ?, FALSE)
  )

-- with:
-- ['Order Completed', '2026-03-31 12:00:00', 'b', 'pro']
