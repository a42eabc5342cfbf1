WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00+00:00' AS TIMESTAMPTZ) AS as_of_tz
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
    AND users_now.trial_ends <= (SELECT as_of_tz FROM moment) + INTERVAL '72 HOUR',
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
  COALESCE(users_now.birthday < $1, FALSE)
  AND COALESCE(users_now.trial_ends > $2 AND users_now.trial_ends <= $3, FALSE)

-- with:
-- [datetime.date(2000, 1, 1), datetime.datetime(2026, 3, 31, 12, 0, tzinfo=datetime.timezone.utc), datetime.datetime(2026, 4, 3, 12, 0, tzinfo=datetime.timezone.utc)]
