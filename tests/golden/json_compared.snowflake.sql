WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), events_read AS (
  SELECT
    t.PROPERTIES,
    t.TIMESTAMP,
    t.USER_ID,
    t.EVENT
  FROM EVENTS AS t
  WHERE
    t.EVENT = 'Order Completed' AND t.TIMESTAMP <= (SELECT as_of FROM moment)
), users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), last_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.USER_ID AS user_id,
      TO_VARCHAR(GET(e.PROPERTIES, 'plan')) AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.USER_ID
        ORDER BY e.TIMESTAMP DESC NULLS LAST, TO_VARCHAR(GET(e.PROPERTIES, 'plan')) DESC NULLS LAST
      ) AS place
    FROM events_read AS e
    WHERE
      e.EVENT = 'Order Completed'
      AND e.TIMESTAMP <= (SELECT as_of FROM moment)
      AND TO_VARCHAR(GET(e.PROPERTIES, 'plan')) IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
), last_2 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.USER_ID AS user_id,
      TRY_TO_DOUBLE(TO_VARCHAR(GET(GET(e.PROPERTIES, 'cart'), 'size'))) AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.USER_ID
        ORDER BY e.TIMESTAMP DESC NULLS LAST, TRY_TO_DOUBLE(TO_VARCHAR(GET(GET(e.PROPERTIES, 'cart'), 'size'))) DESC NULLS LAST
      ) AS place
    FROM events_read AS e
    WHERE
      e.EVENT = 'Order Completed'
      AND e.TIMESTAMP <= (SELECT as_of FROM moment)
      AND TRY_TO_DOUBLE(TO_VARCHAR(GET(GET(e.PROPERTIES, 'cart'), 'size'))) IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN last_1
  ON last_1.user_id = users_now.user_id
LEFT JOIN last_2
  ON last_2.user_id = users_now.user_id
WHERE
  COALESCE(last_1.value = 'pro', FALSE) AND COALESCE(last_2.value > 2, FALSE)

-- executed:

WITH events_read AS (
  SELECT
    t.PROPERTIES,
    t.TIMESTAMP,
    t.USER_ID,
    t.EVENT
  FROM EVENTS AS t
  WHERE
    t.EVENT = ? AND t.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
), users_now AS (
  SELECT
    t.USER_ID AS user_id
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
), last_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.USER_ID AS user_id,
      TO_VARCHAR(GET(e.PROPERTIES, 'plan')) AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.USER_ID
        ORDER BY e.TIMESTAMP DESC NULLS LAST, TO_VARCHAR(GET(e.PROPERTIES, 'plan')) DESC NULLS LAST
      ) AS place
    FROM events_read AS e
    WHERE
      e.EVENT = ?
      AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
      AND TO_VARCHAR(GET(e.PROPERTIES, 'plan')) IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
), last_2 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.USER_ID AS user_id,
      TRY_TO_DOUBLE(TO_VARCHAR(GET(GET(e.PROPERTIES, 'cart'), 'size'))) AS value,
      ROW_NUMBER() OVER (
        PARTITION BY e.USER_ID
        ORDER BY e.TIMESTAMP DESC NULLS LAST, TRY_TO_DOUBLE(TO_VARCHAR(GET(GET(e.PROPERTIES, 'cart'), 'size'))) DESC NULLS LAST
      ) AS place
    FROM events_read AS e
    WHERE
      e.EVENT = ?
      AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
      AND TRY_TO_DOUBLE(TO_VARCHAR(GET(GET(e.PROPERTIES, 'cart'), 'size'))) IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN last_1
  ON last_1.user_id = users_now.user_id
LEFT JOIN last_2
  ON last_2.user_id = users_now.user_id
WHERE
  COALESCE(last_1.value = ?, FALSE) AND COALESCE(last_2.value > ?, FALSE)

-- with:
-- ['Order Completed', '2026-03-31 12:00:00', 'Order Completed', '2026-03-31 12:00:00', 'Order Completed', '2026-03-31 12:00:00', 'pro', 2]
