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
    COUNT(*) AS value
  FROM OPENED AS e
  WHERE
    e.DAY > CAST(CONVERT_TIMEZONE('UTC', 'Europe/Prague', DATEADD(DAY, -28, (SELECT as_of FROM moment))) AS DATE)
    AND e.DAY <= CAST(CONVERT_TIMEZONE('UTC', 'Europe/Prague', (SELECT as_of FROM moment)) AS DATE)
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id,
  COALESCE(count_1.value, 0) AS value
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id

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
    COUNT(*) AS value
  FROM OPENED AS e
  WHERE
    e.DAY > CAST(? AS DATE) AND e.DAY <= CAST(? AS DATE)
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id,
  COALESCE(count_1.value, 0) AS value
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id

-- with:
-- ['2026-03-03', '2026-03-31']
