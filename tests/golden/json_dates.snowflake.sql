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
  FROM EVENTS AS e
  WHERE
    e.EVENT = 'Order Completed'
    AND e.TIMESTAMP <= (SELECT as_of FROM moment)
    AND (
      COALESCE(
        CASE
          WHEN REGEXP_LIKE(
            TO_VARCHAR(GET(e.PROPERTIES, 'on')),
            '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].+(Z|[+-][0-9]{2}(:?[0-9]{2})?)'
          )
          THEN CAST(CONVERT_TIMEZONE('UTC', TRY_TO_TIMESTAMP_TZ(TO_VARCHAR(GET(e.PROPERTIES, 'on')))) AS TIMESTAMPNTZ)
          WHEN REGEXP_LIKE(TO_VARCHAR(GET(e.PROPERTIES, 'on')), '[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?')
          THEN TRY_TO_TIMESTAMP_NTZ(TO_VARCHAR(GET(e.PROPERTIES, 'on')))
        END > CAST('2026-03-01 00:00:00' AS TIMESTAMPNTZ),
        FALSE
      )
      AND COALESCE(
        CASE
          WHEN TO_VARCHAR(GET(e.PROPERTIES, 'new')) = 'true'
          THEN TRUE
          WHEN TO_VARCHAR(GET(e.PROPERTIES, 'new')) = 'false'
          THEN FALSE
        END IN (TRUE),
        FALSE
      )
    )
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) > 0

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
  FROM EVENTS AS e
  WHERE
    e.EVENT = ?
    AND e.TIMESTAMP <= CAST(? AS TIMESTAMPNTZ)
    AND (
      COALESCE(
        CASE
          WHEN REGEXP_LIKE(
            TO_VARCHAR(GET(e.PROPERTIES, 'on')),
            '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].+(Z|[+-][0-9]{2}(:?[0-9]{2})?)'
          )
          THEN CAST(CONVERT_TIMEZONE('UTC', TRY_TO_TIMESTAMP_TZ(TO_VARCHAR(GET(e.PROPERTIES, 'on')))) AS TIMESTAMPNTZ)
          WHEN REGEXP_LIKE(TO_VARCHAR(GET(e.PROPERTIES, 'on')), '[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?')
          THEN TRY_TO_TIMESTAMP_NTZ(TO_VARCHAR(GET(e.PROPERTIES, 'on')))
        END > CAST(? AS TIMESTAMPNTZ),
        FALSE
      )
      AND COALESCE(
        CASE
          WHEN TO_VARCHAR(GET(e.PROPERTIES, 'new')) = 'true'
          THEN TRUE
          WHEN TO_VARCHAR(GET(e.PROPERTIES, 'new')) = 'false'
          THEN FALSE
        END IN (?),
        FALSE
      )
    )
  GROUP BY
    e.USER_ID
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) > ?

-- with:
-- ['Order Completed', '2026-03-31 12:00:00', '2026-03-01 00:00:00', True, 0]
