WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), first_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.USER_ID AS user_id,
      e.COLOUR AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.USER_ID
        ORDER BY e.TIMESTAMP ASC NULLS FIRST, e.ID ASC NULLS FIRST, e.COLOUR ASC NULLS FIRST
      ) AS place
    FROM EVENTS AS e
    WHERE
      e.EVENT = 'Order Completed'
      AND e.TIMESTAMP <= (SELECT as_of FROM moment)
      AND e.COLOUR IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id,
  first_1.value AS value
FROM users_now
LEFT JOIN first_1
  ON first_1.user_id = users_now.user_id
WHERE
  first_1.value IS NOT NULL

-- executed:

WITH users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), first_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.USER_ID AS user_id,
      e.COLOUR AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.USER_ID
        ORDER BY e.TIMESTAMP ASC NULLS FIRST, e.ID ASC NULLS FIRST, e.COLOUR ASC NULLS FIRST
      ) AS place
    FROM EVENTS AS e
    WHERE
      e.EVENT = ?
      AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
      AND e.COLOUR IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id,
  first_1.value AS value
FROM users_now
LEFT JOIN first_1
  ON first_1.user_id = users_now.user_id
WHERE
  first_1.value IS NOT NULL

-- with:
-- ['Order Completed', '2026-03-31 12:00:00']
