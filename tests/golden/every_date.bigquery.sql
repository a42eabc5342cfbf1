WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS DATETIME) AS as_of,
    CAST('2026-03-31 12:00:00+00:00' AS TIMESTAMP) AS as_of_tz
), users_now AS (
  SELECT
    t.user_id AS user_id,
    t.created_at AS created_at,
    t.trial_ends AS trial_ends,
    t.birthday AS birthday
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(
      users_now.created_at <= DATETIME_SUB((SELECT as_of FROM moment), INTERVAL 300 DAY),
      FALSE
    )
    OR (
      COALESCE(
        users_now.trial_ends > TIMESTAMP_ADD((SELECT as_of_tz FROM moment), INTERVAL 36 HOUR),
        FALSE
      )
      AND COALESCE(users_now.birthday > CAST('1990-05-17' AS DATE), FALSE)
    )
    OR COALESCE(
      users_now.created_at > DATETIME_SUB((SELECT as_of FROM moment), INTERVAL 60 DAY)
      AND users_now.created_at <= (SELECT as_of FROM moment),
      FALSE
    )
  )

-- executed:

WITH users_now AS (
  SELECT
    t.user_id AS user_id,
    t.created_at AS created_at,
    t.trial_ends AS trial_ends,
    t.birthday AS birthday
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
)
SELECT DISTINCT
  users_now.user_id
FROM users_now
WHERE
  (
    COALESCE(users_now.created_at <= @p1, FALSE)
    OR (
      COALESCE(users_now.trial_ends > @p2, FALSE)
      AND COALESCE(users_now.birthday > @p3, FALSE)
    )
    OR COALESCE(users_now.created_at > @p4 AND users_now.created_at <= @p5, FALSE)
  )

-- with:
-- {'p1': datetime.datetime(2025, 6, 4, 12, 0), 'p2': datetime.datetime(2026, 4, 2, 0, 0, tzinfo=datetime.timezone.utc), 'p3': datetime.date(1990, 5, 17), 'p4': datetime.datetime(2026, 1, 30, 12, 0), 'p5': datetime.datetime(2026, 3, 31, 12, 0)}
