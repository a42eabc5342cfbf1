WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS DATETIME) AS as_of
), some_1 AS (
  SELECT
    t.user_id AS user_id,
    t.plan AS value_0,
    CAST(t.active AS STRING) AS value_1
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
    AND (
      t.created_at IS NULL OR t.created_at <= (SELECT as_of FROM moment)
    )
  LIMIT 100000
), values_1 AS (
  SELECT
    some_1.value_0 AS value
  FROM some_1
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
    some_1.value_1 AS value
  FROM some_1
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
), spread_1 AS (
  SELECT
    -1 AS trait,
    CAST(NULL AS STRING) AS value,
    COUNT(DISTINCT some_1.user_id) AS size
  FROM some_1
  UNION ALL
  SELECT
    -2 AS trait,
    CAST(NULL AS STRING) AS value,
    COUNT(*) AS size
  FROM some_1
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
)
SELECT
  spread_1.trait,
  spread_1.value,
  spread_1.size
FROM spread_1

-- executed:

WITH some_1 AS (
  SELECT
    t.user_id AS user_id,
    t.plan AS value_0,
    CAST(t.active AS STRING) AS value_1
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL AND (
      t.created_at IS NULL OR t.created_at <= @p1
    )
  LIMIT 100000
), values_1 AS (
  SELECT
    some_1.value_0 AS value
  FROM some_1
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
    some_1.value_1 AS value
  FROM some_1
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
), spread_1 AS (
  SELECT
    -1 AS trait,
    CAST(NULL AS STRING) AS value,
    COUNT(DISTINCT some_1.user_id) AS size
  FROM some_1
  UNION ALL
  SELECT
    -2 AS trait,
    CAST(NULL AS STRING) AS value,
    COUNT(*) AS size
  FROM some_1
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
)
SELECT
  spread_1.trait,
  spread_1.value,
  spread_1.size
FROM spread_1
