WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMP) AS as_of
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(*) AS value
  FROM events AS e
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp <= (SELECT as_of FROM moment)
    AND (
      COALESCE(
        CASE
          WHEN (
            e.properties #>> ARRAY['on']
          ) ~ '^((000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|([0-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26]|0[48])00)-02-29)$'
          THEN CAST((
            e.properties #>> ARRAY['on']
          ) AS TIMESTAMP)
          WHEN (
            e.properties #>> ARRAY['on']
          ) ~ '^((000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|([0-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26]|0[48])00)-02-29)[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)? ?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)$'
          THEN CAST((
            e.properties #>> ARRAY['on']
          ) AS TIMESTAMPTZ) AT TIME ZONE 'UTC'
          WHEN (
            e.properties #>> ARRAY['on']
          ) ~ '^((000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|([0-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26]|0[48])00)-02-29)[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?$'
          THEN CAST((
            e.properties #>> ARRAY['on']
          ) AS TIMESTAMP)
        END > CAST('2026-03-01 00:00:00' AS TIMESTAMP),
        FALSE
      )
      AND COALESCE(
        CASE
          WHEN (
            e.properties #>> ARRAY['new']
          ) = 'true'
          THEN TRUE
          WHEN (
            e.properties #>> ARRAY['new']
          ) = 'false'
          THEN FALSE
        END IN (TRUE),
        FALSE
      )
    )
  GROUP BY
    e.user_id
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
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(*) AS value
  FROM events AS e
  WHERE
    e.event = $1
    AND e.timestamp <= $2
    AND (
      COALESCE(
        CASE
          WHEN (
            e.properties #>> ARRAY['on']
          ) ~ '^((000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|([0-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26]|0[48])00)-02-29)$'
          THEN CAST((
            e.properties #>> ARRAY['on']
          ) AS TIMESTAMP)
          WHEN (
            e.properties #>> ARRAY['on']
          ) ~ '^((000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|([0-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26]|0[48])00)-02-29)[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)? ?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)$'
          THEN CAST((
            e.properties #>> ARRAY['on']
          ) AS TIMESTAMPTZ) AT TIME ZONE 'UTC'
          WHEN (
            e.properties #>> ARRAY['on']
          ) ~ '^((000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|([0-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26]|0[48])00)-02-29)[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?$'
          THEN CAST((
            e.properties #>> ARRAY['on']
          ) AS TIMESTAMP)
        END > $3,
        FALSE
      )
      AND COALESCE(
        CASE
          WHEN (
            e.properties #>> ARRAY['new']
          ) = 'true'
          THEN TRUE
          WHEN (
            e.properties #>> ARRAY['new']
          ) = 'false'
          THEN FALSE
        END IN ($4),
        FALSE
      )
    )
  GROUP BY
    e.user_id
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN count_1
  ON count_1.user_id = users_now.user_id
WHERE
  COALESCE(count_1.value, 0) > $5

-- with:
-- ['Order Completed', datetime.datetime(2026, 3, 31, 12, 0), datetime.datetime(2026, 3, 1, 0, 0), True, 0]
