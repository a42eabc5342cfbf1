WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), most_frequent_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      c.user_id,
      c.value,
      ROW_NUMBER() OVER (PARTITION BY c.user_id ORDER BY c.times DESC NULLS LAST, c.value ASC NULLS FIRST) AS place
    FROM (
      SELECT
        e.USER_ID AS user_id,
        e.COLOUR AS value,
        COUNT(*) AS times
      FROM EVENTS AS e
      WHERE
        e.EVENT = 'Order Completed'
        AND e.TIMESTAMP <= (SELECT as_of FROM moment)
        AND e.COLOUR IS NOT NULL
      GROUP BY
        e.USER_ID,
        e.COLOUR
    ) AS c
    WHERE
      c.times >= 2
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id,
  most_frequent_1.value AS value
FROM users_now
LEFT JOIN most_frequent_1
  ON most_frequent_1.user_id = users_now.user_id
WHERE
  most_frequent_1.value IS NOT NULL

-- executed:

WITH users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), most_frequent_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      c.user_id,
      c.value,
      ROW_NUMBER() OVER (PARTITION BY c.user_id ORDER BY c.times DESC NULLS LAST, c.value ASC NULLS FIRST) AS place
    FROM (
      SELECT
        e.USER_ID AS user_id,
        e.COLOUR AS value,
        COUNT(*) AS times
      FROM EVENTS AS e
      WHERE
        e.EVENT = ?
        AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
        AND e.COLOUR IS NOT NULL
      GROUP BY
        e.USER_ID,
        e.COLOUR
    ) AS c
    WHERE
      c.times >= ?
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id,
  most_frequent_1.value AS value
FROM users_now
LEFT JOIN most_frequent_1
  ON most_frequent_1.user_id = users_now.user_id
WHERE
  most_frequent_1.value IS NOT NULL

-- with:
-- ['Order Completed', '2026-03-31 12:00:00', 2]
