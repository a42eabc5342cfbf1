WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ) AS as_of
), users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.PLAN AS PLAN,
    t.SEATS AS SEATS,
    t.BIRTHDAY AS BIRTHDAY,
    t.TRIAL_ENDS AS TRIAL_ENDS,
    t.ACTIVE AS ACTIVE
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
    AND (
      t.CREATED_AT IS NULL OR t.CREATED_AT <= (SELECT as_of FROM moment)
    )
), values_1 AS (
  SELECT
    users_now.PLAN AS value
  FROM users_now
), counted_1 AS (
  SELECT
    values_1.value,
    COUNT(*) AS size
  FROM values_1
  GROUP BY
    values_1.value
  ORDER BY
    size DESC NULLS LAST,
    value
  LIMIT 1000
), values_2 AS (
  SELECT
    CAST(CASE
      WHEN users_now.SEATS IS NULL
      THEN NULL
      WHEN users_now.SEATS < -1000000000
      THEN 0
      WHEN users_now.SEATS < -100000000
      THEN 1
      WHEN users_now.SEATS < -10000000
      THEN 2
      WHEN users_now.SEATS < -1000000
      THEN 3
      WHEN users_now.SEATS < -100000
      THEN 4
      WHEN users_now.SEATS < -10000
      THEN 5
      WHEN users_now.SEATS < -1000
      THEN 6
      WHEN users_now.SEATS < -100
      THEN 7
      WHEN users_now.SEATS < -10
      THEN 8
      WHEN users_now.SEATS < -1
      THEN 9
      WHEN users_now.SEATS < 0
      THEN 10
      WHEN users_now.SEATS < 0.0001
      THEN 11
      WHEN users_now.SEATS < 0.01
      THEN 12
      WHEN users_now.SEATS < 0.02
      THEN 13
      WHEN users_now.SEATS < 0.05
      THEN 14
      WHEN users_now.SEATS < 0.1
      THEN 15
      WHEN users_now.SEATS < 0.2
      THEN 16
      WHEN users_now.SEATS < 0.5
      THEN 17
      WHEN users_now.SEATS < 1
      THEN 18
      WHEN users_now.SEATS < 2
      THEN 19
      WHEN users_now.SEATS < 5
      THEN 20
      WHEN users_now.SEATS < 10
      THEN 21
      WHEN users_now.SEATS < 20
      THEN 22
      WHEN users_now.SEATS < 50
      THEN 23
      WHEN users_now.SEATS < 100
      THEN 24
      WHEN users_now.SEATS < 200
      THEN 25
      WHEN users_now.SEATS < 500
      THEN 26
      WHEN users_now.SEATS < 1000
      THEN 27
      WHEN users_now.SEATS < 2000
      THEN 28
      WHEN users_now.SEATS < 5000
      THEN 29
      WHEN users_now.SEATS < 10000
      THEN 30
      WHEN users_now.SEATS < 20000
      THEN 31
      WHEN users_now.SEATS < 50000
      THEN 32
      WHEN users_now.SEATS < 100000
      THEN 33
      WHEN users_now.SEATS < 200000
      THEN 34
      WHEN users_now.SEATS < 500000
      THEN 35
      WHEN users_now.SEATS < 1000000
      THEN 36
      WHEN users_now.SEATS < 2000000
      THEN 37
      WHEN users_now.SEATS < 5000000
      THEN 38
      WHEN users_now.SEATS < 10000000
      THEN 39
      WHEN users_now.SEATS < 20000000
      THEN 40
      WHEN users_now.SEATS < 50000000
      THEN 41
      WHEN users_now.SEATS < 100000000
      THEN 42
      WHEN users_now.SEATS < 200000000
      THEN 43
      WHEN users_now.SEATS < 500000000
      THEN 44
      WHEN users_now.SEATS < 1000000000
      THEN 45
      ELSE 46
    END AS VARCHAR) AS value
  FROM users_now
), counted_2 AS (
  SELECT
    values_2.value,
    COUNT(*) AS size
  FROM values_2
  GROUP BY
    values_2.value
  ORDER BY
    size DESC NULLS LAST,
    value
  LIMIT 1000
), values_3 AS (
  SELECT
    CAST(CAST((
      DATE_PART(YEAR, users_now.BIRTHDAY)
    ) * 12 + DATE_PART(MONTH, users_now.BIRTHDAY) AS BIGINT) AS VARCHAR) AS value
  FROM users_now
), counted_3 AS (
  SELECT
    values_3.value,
    COUNT(*) AS size
  FROM values_3
  GROUP BY
    values_3.value
  ORDER BY
    size DESC NULLS LAST,
    value
  LIMIT 1000
), values_4 AS (
  SELECT
    CAST(CAST((
      DATE_PART(YEAR, CAST(CONVERT_TIMEZONE('UTC', users_now.TRIAL_ENDS) AS TIMESTAMPNTZ))
    ) * 12 + DATE_PART(MONTH, CAST(CONVERT_TIMEZONE('UTC', users_now.TRIAL_ENDS) AS TIMESTAMPNTZ)) AS BIGINT) AS VARCHAR) AS value
  FROM users_now
), counted_4 AS (
  SELECT
    values_4.value,
    COUNT(*) AS size
  FROM values_4
  GROUP BY
    values_4.value
  ORDER BY
    size DESC NULLS LAST,
    value
  LIMIT 1000
), values_5 AS (
  SELECT
    CAST(users_now.ACTIVE AS VARCHAR) AS value
  FROM users_now
), counted_5 AS (
  SELECT
    values_5.value,
    COUNT(*) AS size
  FROM values_5
  GROUP BY
    values_5.value
  ORDER BY
    size DESC NULLS LAST,
    value
  LIMIT 1000
), spread_1 AS (
  SELECT
    -1 AS trait,
    CAST(NULL AS VARCHAR) AS value,
    COUNT(DISTINCT users_now.user_id) AS size
  FROM users_now
  UNION ALL
  SELECT
    -2 AS trait,
    CAST(NULL AS VARCHAR) AS value,
    COUNT(*) AS size
  FROM users_now
  UNION ALL
  SELECT
    0 AS trait,
    counted_1.value AS value,
    counted_1.size AS size
  FROM counted_1
  UNION ALL
  SELECT
    1 AS trait,
    counted_2.value AS value,
    counted_2.size AS size
  FROM counted_2
  UNION ALL
  SELECT
    2 AS trait,
    counted_3.value AS value,
    counted_3.size AS size
  FROM counted_3
  UNION ALL
  SELECT
    3 AS trait,
    counted_4.value AS value,
    counted_4.size AS size
  FROM counted_4
  UNION ALL
  SELECT
    4 AS trait,
    counted_5.value AS value,
    counted_5.size AS size
  FROM counted_5
)
SELECT
  spread_1.trait,
  spread_1.value,
  spread_1.size
FROM spread_1

-- executed:

WITH users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.PLAN AS PLAN,
    t.SEATS AS SEATS,
    t.BIRTHDAY AS BIRTHDAY,
    t.TRIAL_ENDS AS TRIAL_ENDS,
    t.ACTIVE AS ACTIVE
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
    AND (
      t.CREATED_AT IS NULL OR t.CREATED_AT <= CAST(? AS TIMESTAMPNTZ)
    )
), values_1 AS (
  SELECT
    users_now.PLAN AS value
  FROM users_now
), counted_1 AS (
  SELECT
    values_1.value,
    COUNT(*) AS size
  FROM values_1
  GROUP BY
    values_1.value
  ORDER BY
    size DESC NULLS LAST,
    value
  LIMIT 1000
), values_2 AS (
  SELECT
    CAST(CASE
      WHEN users_now.SEATS IS NULL
      THEN NULL
      WHEN users_now.SEATS < -1000000000
      THEN 0
      WHEN users_now.SEATS < -100000000
      THEN 1
      WHEN users_now.SEATS < -10000000
      THEN 2
      WHEN users_now.SEATS < -1000000
      THEN 3
      WHEN users_now.SEATS < -100000
      THEN 4
      WHEN users_now.SEATS < -10000
      THEN 5
      WHEN users_now.SEATS < -1000
      THEN 6
      WHEN users_now.SEATS < -100
      THEN 7
      WHEN users_now.SEATS < -10
      THEN 8
      WHEN users_now.SEATS < -1
      THEN 9
      WHEN users_now.SEATS < 0
      THEN 10
      WHEN users_now.SEATS < 0.0001
      THEN 11
      WHEN users_now.SEATS < 0.01
      THEN 12
      WHEN users_now.SEATS < 0.02
      THEN 13
      WHEN users_now.SEATS < 0.05
      THEN 14
      WHEN users_now.SEATS < 0.1
      THEN 15
      WHEN users_now.SEATS < 0.2
      THEN 16
      WHEN users_now.SEATS < 0.5
      THEN 17
      WHEN users_now.SEATS < 1
      THEN 18
      WHEN users_now.SEATS < 2
      THEN 19
      WHEN users_now.SEATS < 5
      THEN 20
      WHEN users_now.SEATS < 10
      THEN 21
      WHEN users_now.SEATS < 20
      THEN 22
      WHEN users_now.SEATS < 50
      THEN 23
      WHEN users_now.SEATS < 100
      THEN 24
      WHEN users_now.SEATS < 200
      THEN 25
      WHEN users_now.SEATS < 500
      THEN 26
      WHEN users_now.SEATS < 1000
      THEN 27
      WHEN users_now.SEATS < 2000
      THEN 28
      WHEN users_now.SEATS < 5000
      THEN 29
      WHEN users_now.SEATS < 10000
      THEN 30
      WHEN users_now.SEATS < 20000
      THEN 31
      WHEN users_now.SEATS < 50000
      THEN 32
      WHEN users_now.SEATS < 100000
      THEN 33
      WHEN users_now.SEATS < 200000
      THEN 34
      WHEN users_now.SEATS < 500000
      THEN 35
      WHEN users_now.SEATS < 1000000
      THEN 36
      WHEN users_now.SEATS < 2000000
      THEN 37
      WHEN users_now.SEATS < 5000000
      THEN 38
      WHEN users_now.SEATS < 10000000
      THEN 39
      WHEN users_now.SEATS < 20000000
      THEN 40
      WHEN users_now.SEATS < 50000000
      THEN 41
      WHEN users_now.SEATS < 100000000
      THEN 42
      WHEN users_now.SEATS < 200000000
      THEN 43
      WHEN users_now.SEATS < 500000000
      THEN 44
      WHEN users_now.SEATS < 1000000000
      THEN 45
      ELSE 46
    END AS VARCHAR) AS value
  FROM users_now
), counted_2 AS (
  SELECT
    values_2.value,
    COUNT(*) AS size
  FROM values_2
  GROUP BY
    values_2.value
  ORDER BY
    size DESC NULLS LAST,
    value
  LIMIT 1000
), values_3 AS (
  SELECT
    CAST(CAST((
      DATE_PART(YEAR, users_now.BIRTHDAY)
    ) * 12 + DATE_PART(MONTH, users_now.BIRTHDAY) AS BIGINT) AS VARCHAR) AS value
  FROM users_now
), counted_3 AS (
  SELECT
    values_3.value,
    COUNT(*) AS size
  FROM values_3
  GROUP BY
    values_3.value
  ORDER BY
    size DESC NULLS LAST,
    value
  LIMIT 1000
), values_4 AS (
  SELECT
    CAST(CAST((
      DATE_PART(YEAR, CAST(CONVERT_TIMEZONE('UTC', users_now.TRIAL_ENDS) AS TIMESTAMPNTZ))
    ) * 12 + DATE_PART(MONTH, CAST(CONVERT_TIMEZONE('UTC', users_now.TRIAL_ENDS) AS TIMESTAMPNTZ)) AS BIGINT) AS VARCHAR) AS value
  FROM users_now
), counted_4 AS (
  SELECT
    values_4.value,
    COUNT(*) AS size
  FROM values_4
  GROUP BY
    values_4.value
  ORDER BY
    size DESC NULLS LAST,
    value
  LIMIT 1000
), values_5 AS (
  SELECT
    CAST(users_now.ACTIVE AS VARCHAR) AS value
  FROM users_now
), counted_5 AS (
  SELECT
    values_5.value,
    COUNT(*) AS size
  FROM values_5
  GROUP BY
    values_5.value
  ORDER BY
    size DESC NULLS LAST,
    value
  LIMIT 1000
), spread_1 AS (
  SELECT
    -1 AS trait,
    CAST(NULL AS VARCHAR) AS value,
    COUNT(DISTINCT users_now.user_id) AS size
  FROM users_now
  UNION ALL
  SELECT
    -2 AS trait,
    CAST(NULL AS VARCHAR) AS value,
    COUNT(*) AS size
  FROM users_now
  UNION ALL
  SELECT
    0 AS trait,
    counted_1.value AS value,
    counted_1.size AS size
  FROM counted_1
  UNION ALL
  SELECT
    1 AS trait,
    counted_2.value AS value,
    counted_2.size AS size
  FROM counted_2
  UNION ALL
  SELECT
    2 AS trait,
    counted_3.value AS value,
    counted_3.size AS size
  FROM counted_3
  UNION ALL
  SELECT
    3 AS trait,
    counted_4.value AS value,
    counted_4.size AS size
  FROM counted_4
  UNION ALL
  SELECT
    4 AS trait,
    counted_5.value AS value,
    counted_5.size AS size
  FROM counted_5
)
SELECT
  spread_1.trait,
  spread_1.value,
  spread_1.size
FROM spread_1
