WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
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
  FROM EVENTS AS e
  WHERE
    e.EVENT = 'Order Completed'
    AND e.TIMESTAMP > DATEADD(DAY, -30, (SELECT as_of FROM moment))
    AND e.TIMESTAMP <= (SELECT as_of FROM moment)
  GROUP BY
    e.USER_ID
), sql_1 AS (
  SELECT DISTINCT
    o.user_id
  FROM (
    SELECT DISTINCT
      user_id
    FROM USERS AS users
    WHERE
      plan ILIKE 'p%'
  ) AS o
  WHERE
    o.user_id IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
LEFT JOIN sql_1
  ON sql_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) >= 1 AND sql_1.user_id IS NOT NULL

-- executed:

WITH users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), count_1 AS (
  SELECT
    e.USER_ID AS user_id,
    COUNT(DISTINCT e.ID) AS value
  FROM EVENTS AS e
  WHERE
    e.EVENT = ?
    AND e.TIMESTAMP > CAST(? AS TIMESTAMPNTZ)
    AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
  GROUP BY
    e.USER_ID
), sql_1 AS (
  SELECT DISTINCT
    o.user_id
  FROM (
    SELECT DISTINCT
      user_id
    FROM USERS AS users
    WHERE
      plan ILIKE 'p%'
  ) AS o
  WHERE
    o.user_id IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
LEFT JOIN sql_1
  ON sql_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) >= ? AND sql_1.user_id IS NOT NULL

-- with:
-- ['Order Completed', '2026-03-01 12:00:00', '2026-03-31 12:00:00', 1]
