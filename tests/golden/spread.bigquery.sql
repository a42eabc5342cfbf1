WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS DATETIME) AS as_of
), users_now AS (
  SELECT
    t.user_id AS user_id,
    t.plan AS plan,
    t.seats AS seats,
    t.birthday AS birthday,
    t.trial_ends AS trial_ends,
    t.active AS active
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
    AND (
      t.created_at IS NULL OR t.created_at <= (SELECT as_of FROM moment)
    )
), values_1 AS (
  SELECT
    users_now.plan AS value
  FROM users_now
), counted_1 AS (
  SELECT
    values_1.value,
    COUNT(*) AS size
  FROM values_1
  GROUP BY
    values_1.value
  ORDER BY
    size DESC,
    value NULLS LAST
  LIMIT 1000
), values_2 AS (
  SELECT
    CAST(CASE
      WHEN users_now.seats IS NULL
      THEN NULL
      WHEN users_now.seats < -1000000000
      THEN 0
      WHEN users_now.seats < -100000000
      THEN 1
      WHEN users_now.seats < -10000000
      THEN 2
      WHEN users_now.seats < -1000000
      THEN 3
      WHEN users_now.seats < -100000
      THEN 4
      WHEN users_now.seats < -10000
      THEN 5
      WHEN users_now.seats < -1000
      THEN 6
      WHEN users_now.seats < -100
      THEN 7
      WHEN users_now.seats < -10
      THEN 8
      WHEN users_now.seats < -1
      THEN 9
      WHEN users_now.seats < 0
      THEN 10
      WHEN users_now.seats < 0.0001
      THEN 11
      WHEN users_now.seats < 0.01
      THEN 12
      WHEN users_now.seats < 0.02
      THEN 13
      WHEN users_now.seats < 0.05
      THEN 14
      WHEN users_now.seats < 0.1
      THEN 15
      WHEN users_now.seats < 0.2
      THEN 16
      WHEN users_now.seats < 0.5
      THEN 17
      WHEN users_now.seats < 1
      THEN 18
      WHEN users_now.seats < 2
      THEN 19
      WHEN users_now.seats < 5
      THEN 20
      WHEN users_now.seats < 10
      THEN 21
      WHEN users_now.seats < 20
      THEN 22
      WHEN users_now.seats < 50
      THEN 23
      WHEN users_now.seats < 100
      THEN 24
      WHEN users_now.seats < 200
      THEN 25
      WHEN users_now.seats < 500
      THEN 26
      WHEN users_now.seats < 1000
      THEN 27
      WHEN users_now.seats < 2000
      THEN 28
      WHEN users_now.seats < 5000
      THEN 29
      WHEN users_now.seats < 10000
      THEN 30
      WHEN users_now.seats < 20000
      THEN 31
      WHEN users_now.seats < 50000
      THEN 32
      WHEN users_now.seats < 100000
      THEN 33
      WHEN users_now.seats < 200000
      THEN 34
      WHEN users_now.seats < 500000
      THEN 35
      WHEN users_now.seats < 1000000
      THEN 36
      WHEN users_now.seats < 2000000
      THEN 37
      WHEN users_now.seats < 5000000
      THEN 38
      WHEN users_now.seats < 10000000
      THEN 39
      WHEN users_now.seats < 20000000
      THEN 40
      WHEN users_now.seats < 50000000
      THEN 41
      WHEN users_now.seats < 100000000
      THEN 42
      WHEN users_now.seats < 200000000
      THEN 43
      WHEN users_now.seats < 500000000
      THEN 44
      WHEN users_now.seats < 1000000000
      THEN 45
      ELSE 46
    END AS STRING) AS value
  FROM users_now
), counted_2 AS (
  SELECT
    values_2.value,
    COUNT(*) AS size
  FROM values_2
  GROUP BY
    values_2.value
  ORDER BY
    size DESC,
    value NULLS LAST
  LIMIT 1000
), values_3 AS (
  SELECT
    CAST(CAST((
      EXTRACT(YEAR FROM users_now.birthday)
    ) * 12 + EXTRACT(MONTH FROM users_now.birthday) AS INT64) AS STRING) AS value
  FROM users_now
), counted_3 AS (
  SELECT
    values_3.value,
    COUNT(*) AS size
  FROM values_3
  GROUP BY
    values_3.value
  ORDER BY
    size DESC,
    value NULLS LAST
  LIMIT 1000
), values_4 AS (
  SELECT
    CAST(CAST((
      EXTRACT(YEAR FROM DATETIME(users_now.trial_ends, 'UTC'))
    ) * 12 + EXTRACT(MONTH FROM DATETIME(users_now.trial_ends, 'UTC')) AS INT64) AS STRING) AS value
  FROM users_now
), counted_4 AS (
  SELECT
    values_4.value,
    COUNT(*) AS size
  FROM values_4
  GROUP BY
    values_4.value
  ORDER BY
    size DESC,
    value NULLS LAST
  LIMIT 1000
), values_5 AS (
  SELECT
    CAST(users_now.active AS STRING) AS value
  FROM users_now
), counted_5 AS (
  SELECT
    values_5.value,
    COUNT(*) AS size
  FROM values_5
  GROUP BY
    values_5.value
  ORDER BY
    size DESC,
    value NULLS LAST
  LIMIT 1000
), spread_1 AS (
  SELECT
    -1 AS trait,
    CAST(NULL AS STRING) AS value,
    COUNT(DISTINCT users_now.user_id) AS size
  FROM users_now
  UNION ALL
  SELECT
    -2 AS trait,
    CAST(NULL AS STRING) AS value,
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
    t.user_id AS user_id,
    t.plan AS plan,
    t.seats AS seats,
    t.birthday AS birthday,
    t.trial_ends AS trial_ends,
    t.active AS active
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL AND (
      t.created_at IS NULL OR t.created_at <= @p1
    )
), values_1 AS (
  SELECT
    users_now.plan AS value
  FROM users_now
), counted_1 AS (
  SELECT
    values_1.value,
    COUNT(*) AS size
  FROM values_1
  GROUP BY
    values_1.value
  ORDER BY
    size DESC,
    value NULLS LAST
  LIMIT 1000
), values_2 AS (
  SELECT
    CAST(CASE
      WHEN users_now.seats IS NULL
      THEN NULL
      WHEN users_now.seats < -1000000000
      THEN 0
      WHEN users_now.seats < -100000000
      THEN 1
      WHEN users_now.seats < -10000000
      THEN 2
      WHEN users_now.seats < -1000000
      THEN 3
      WHEN users_now.seats < -100000
      THEN 4
      WHEN users_now.seats < -10000
      THEN 5
      WHEN users_now.seats < -1000
      THEN 6
      WHEN users_now.seats < -100
      THEN 7
      WHEN users_now.seats < -10
      THEN 8
      WHEN users_now.seats < -1
      THEN 9
      WHEN users_now.seats < 0
      THEN 10
      WHEN users_now.seats < 0.0001
      THEN 11
      WHEN users_now.seats < 0.01
      THEN 12
      WHEN users_now.seats < 0.02
      THEN 13
      WHEN users_now.seats < 0.05
      THEN 14
      WHEN users_now.seats < 0.1
      THEN 15
      WHEN users_now.seats < 0.2
      THEN 16
      WHEN users_now.seats < 0.5
      THEN 17
      WHEN users_now.seats < 1
      THEN 18
      WHEN users_now.seats < 2
      THEN 19
      WHEN users_now.seats < 5
      THEN 20
      WHEN users_now.seats < 10
      THEN 21
      WHEN users_now.seats < 20
      THEN 22
      WHEN users_now.seats < 50
      THEN 23
      WHEN users_now.seats < 100
      THEN 24
      WHEN users_now.seats < 200
      THEN 25
      WHEN users_now.seats < 500
      THEN 26
      WHEN users_now.seats < 1000
      THEN 27
      WHEN users_now.seats < 2000
      THEN 28
      WHEN users_now.seats < 5000
      THEN 29
      WHEN users_now.seats < 10000
      THEN 30
      WHEN users_now.seats < 20000
      THEN 31
      WHEN users_now.seats < 50000
      THEN 32
      WHEN users_now.seats < 100000
      THEN 33
      WHEN users_now.seats < 200000
      THEN 34
      WHEN users_now.seats < 500000
      THEN 35
      WHEN users_now.seats < 1000000
      THEN 36
      WHEN users_now.seats < 2000000
      THEN 37
      WHEN users_now.seats < 5000000
      THEN 38
      WHEN users_now.seats < 10000000
      THEN 39
      WHEN users_now.seats < 20000000
      THEN 40
      WHEN users_now.seats < 50000000
      THEN 41
      WHEN users_now.seats < 100000000
      THEN 42
      WHEN users_now.seats < 200000000
      THEN 43
      WHEN users_now.seats < 500000000
      THEN 44
      WHEN users_now.seats < 1000000000
      THEN 45
      ELSE 46
    END AS STRING) AS value
  FROM users_now
), counted_2 AS (
  SELECT
    values_2.value,
    COUNT(*) AS size
  FROM values_2
  GROUP BY
    values_2.value
  ORDER BY
    size DESC,
    value NULLS LAST
  LIMIT 1000
), values_3 AS (
  SELECT
    CAST(CAST((
      EXTRACT(YEAR FROM users_now.birthday)
    ) * 12 + EXTRACT(MONTH FROM users_now.birthday) AS INT64) AS STRING) AS value
  FROM users_now
), counted_3 AS (
  SELECT
    values_3.value,
    COUNT(*) AS size
  FROM values_3
  GROUP BY
    values_3.value
  ORDER BY
    size DESC,
    value NULLS LAST
  LIMIT 1000
), values_4 AS (
  SELECT
    CAST(CAST((
      EXTRACT(YEAR FROM DATETIME(users_now.trial_ends, 'UTC'))
    ) * 12 + EXTRACT(MONTH FROM DATETIME(users_now.trial_ends, 'UTC')) AS INT64) AS STRING) AS value
  FROM users_now
), counted_4 AS (
  SELECT
    values_4.value,
    COUNT(*) AS size
  FROM values_4
  GROUP BY
    values_4.value
  ORDER BY
    size DESC,
    value NULLS LAST
  LIMIT 1000
), values_5 AS (
  SELECT
    CAST(users_now.active AS STRING) AS value
  FROM users_now
), counted_5 AS (
  SELECT
    values_5.value,
    COUNT(*) AS size
  FROM values_5
  GROUP BY
    values_5.value
  ORDER BY
    size DESC,
    value NULLS LAST
  LIMIT 1000
), spread_1 AS (
  SELECT
    -1 AS trait,
    CAST(NULL AS STRING) AS value,
    COUNT(DISTINCT users_now.user_id) AS size
  FROM users_now
  UNION ALL
  SELECT
    -2 AS trait,
    CAST(NULL AS STRING) AS value,
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
