WITH users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.PLAN AS PLAN,
    t.SEATS AS SEATS
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(users_now.PLAN = 'it\'s', FALSE)
    OR COALESCE(users_now.SEATS >= 5, FALSE)
  )
  AND NOT (
    COALESCE(users_now.PLAN IN ('x', 'y'), FALSE)
  )

-- executed:

WITH users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.PLAN AS PLAN,
    t.SEATS AS SEATS
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(users_now.PLAN = ?, FALSE)
    OR COALESCE(users_now.SEATS >= ?, FALSE)
  )
  AND NOT (
    COALESCE(users_now.PLAN IN (?, ?), FALSE)
  )

-- with:
-- ["it's", 5, 'x', 'y']
