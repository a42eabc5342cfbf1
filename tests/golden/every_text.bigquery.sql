WITH users_now AS (
  SELECT
    t.user_id AS user_id,
    t.plan AS plan
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(STARTS_WITH(users_now.plan, 'p'), FALSE)
    OR COALESCE(ENDS_WITH(LOWER(users_now.plan), LOWER('%')), FALSE)
    OR (
      NOT (
        COALESCE(STRPOS(users_now.plan, 'o') > 0, FALSE)
      )
      AND users_now.plan IS NOT NULL
    )
  )

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id,
    t.plan AS plan
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(STARTS_WITH(users_now.plan, @p1), FALSE)
    OR COALESCE(ENDS_WITH(LOWER(users_now.plan), LOWER(@p2)), FALSE)
    OR (
      NOT (
        COALESCE(STRPOS(users_now.plan, @p3) > 0, FALSE)
      )
      AND users_now.plan IS NOT NULL
    )
  )

-- with:
-- {'p1': 'p', 'p2': '%', 'p3': 'o'}
