WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), unique_1 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(DISTINCT e.COLOUR) AS value
  FROM EVENTS AS e
  WHERE
    e.EVENT = 'Order Completed' AND e.TIMESTAMP <= (SELECT as_of FROM moment)
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id,
  COALESCE(unique_1.value, 0) AS value
FROM users_now
LEFT JOIN unique_1
  ON unique_1.user_id = users_now.user_id

-- executed:

WITH users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), unique_1 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(DISTINCT e.COLOUR) AS value
  FROM EVENTS AS e
  WHERE
    e.EVENT = ? AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id,
  COALESCE(unique_1.value, 0) AS value
FROM users_now
LEFT JOIN unique_1
  ON unique_1.user_id = users_now.user_id

-- with:
-- ['Order Completed', '2026-03-31 12:00:00']
