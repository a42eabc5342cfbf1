WITH users_now AS (
  SELECT
    t.USER_ID AS user_id,
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
    COALESCE(users_now.SEATS IN (1, 3, 5), FALSE)
    OR COALESCE(users_now.SEATS > 6, FALSE)
  )
  AND NOT (
    COALESCE(users_now.SEATS IN (5), FALSE)
  )

-- executed:

WITH users_now AS (
  SELECT
    t.USER_ID AS user_id,
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
    COALESCE(users_now.SEATS IN (?, ?, ?), FALSE)
    OR COALESCE(users_now.SEATS > ?, FALSE)
  )
  AND NOT (
    COALESCE(users_now.SEATS IN (?), FALSE)
  )

-- with:
-- [1, 3, 5, 6, 5]
