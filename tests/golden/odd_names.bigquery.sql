WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS DATETIME) AS as_of
), users_now AS (
  SELECT
    t.userId AS user_id,
    t.`order` AS `order`
  FROM claims AS t
  WHERE
    t.userId IS NOT NULL
), last_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.userId AS user_id,
      e.`Größe` AS value,
      ROW_NUMBER() OVER (PARTITION BY e.userId ORDER BY e.`at` DESC, e.`Größe` DESC) AS place
    FROM `lower case` AS e
    WHERE
      e.event = 'Say "hi"; --'
      AND e.`at` <= (SELECT as_of FROM moment)
      AND e.`Größe` IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN last_1
  ON last_1.user_id = users_now.user_id
WHERE
  COALESCE(users_now.`order` = 'a\\b\n\'c\'', FALSE) AND last_1.value IS NOT NULL

-- executed:

WITH users_now AS (
  SELECT
    t.userId AS user_id,
    t.`order` AS `order`
  FROM claims AS t
  WHERE
    t.userId IS NOT NULL
), last_1 AS (
  SELECT
    w.user_id,
    w.value
  FROM (
    SELECT
      e.userId AS user_id,
      e.`Größe` AS value,
      ROW_NUMBER() OVER (PARTITION BY e.userId ORDER BY e.`at` DESC, e.`Größe` DESC) AS place
    FROM `lower case` AS e
    WHERE
      e.event = @p2 AND e.`at` <= @p3 AND e.`Größe` IS NOT NULL
  ) AS w
  WHERE
    w.place = 1
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
LEFT JOIN last_1
  ON last_1.user_id = users_now.user_id
WHERE
  COALESCE(users_now.`order` = @p1, FALSE) AND last_1.value IS NOT NULL

-- with:
-- {'p1': "a\\b\n'c'", 'p2': 'Say "hi"; --', 'p3': datetime.datetime(2026, 3, 31, 12, 0)}
