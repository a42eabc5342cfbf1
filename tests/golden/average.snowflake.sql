WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
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
  FROM EVENTS AS e
  WHERE
    e.EVENT = 'Order Completed'
    AND e.TIMESTAMP > DATEADD(DAY, -7, (SELECT as_of FROM moment))
    AND e.TIMESTAMP <= (SELECT as_of FROM moment)
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id,
  avg_1.value AS value
FROM users_now
LEFT JOIN avg_1
  ON avg_1.user_id = users_now.user_id
WHERE
  avg_1.value IS NOT NULL

-- executed:

WITH users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), avg_1 AS (
  SELECT
    e.USER_ID AS user_id,
    AVG(CAST(e.AMOUNT AS DOUBLE)) AS value
  FROM EVENTS AS e
  WHERE
    e.EVENT = ?
    AND e.TIMESTAMP > CAST(? AS TIMESTAMPNTZ)
    AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id,
  avg_1.value AS value
FROM users_now
LEFT JOIN avg_1
  ON avg_1.user_id = users_now.user_id
WHERE
  avg_1.value IS NOT NULL

-- with:
-- ['Order Completed', '2026-03-24 12:00:00', '2026-03-31 12:00:00']
