WITH users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.ACTIVE AS ACTIVE
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(users_now.ACTIVE = TRUE, FALSE) OR users_now.ACTIVE IS NULL
  )

-- executed:

WITH users_now AS (
  SELECT
    t.USER_ID AS user_id,
    t.ACTIVE AS ACTIVE
  FROM USERS AS t
  WHERE
    t.USER_ID IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(users_now.ACTIVE = ?, FALSE) OR users_now.ACTIVE IS NULL
  )

-- with:
-- [True]
