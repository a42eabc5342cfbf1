WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00+00:00' AS TIMESTAMP) AS as_of_tz
), users_now AS (
  SELECT
    t.user_id AS user_id,
    t.birthday AS birthday,
    t.trial_ends AS trial_ends
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  COALESCE(users_now.birthday < CAST('2000-01-01' AS DATE), FALSE)
  AND COALESCE(
    users_now.trial_ends > (SELECT as_of_tz FROM moment)
    AND users_now.trial_ends <= TIMESTAMP_ADD((SELECT as_of_tz FROM moment), INTERVAL 72 HOUR),
    FALSE
  )

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id,
    t.birthday AS birthday,
    t.trial_ends AS trial_ends
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  COALESCE(users_now.birthday < @p1, FALSE)
  AND COALESCE(users_now.trial_ends > @p2 AND users_now.trial_ends <= @p3, FALSE)

-- with:
-- {'p1': datetime.date(2000, 1, 1), 'p2': datetime.datetime(2026, 3, 31, 12, 0, tzinfo=datetime.timezone.utc), 'p3': datetime.datetime(2026, 4, 3, 12, 0, tzinfo=datetime.timezone.utc)}
