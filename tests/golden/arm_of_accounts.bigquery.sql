WITH accounts_now AS (
  SELECT
    t.account_id AS account_id
  FROM accounts AS t
  WHERE
    t.account_id IS NOT NULL
)
SELECT DISTINCT
  accounts_now.account_id
FROM accounts_now
WHERE
  (
    accounts_now.account_id IS NOT NULL
    AND SUBSTRING(TO_HEX(MD5('spring:' || CAST(accounts_now.account_id AS STRING))), 1, 8) < '9999999a'
  )
  AND NOT (
    accounts_now.account_id IS NOT NULL
    AND SUBSTRING(TO_HEX(MD5('all:' || CAST(accounts_now.account_id AS STRING))), 1, 8) < '1999999a'
  )

-- executed:

WITH accounts_now AS (
  SELECT
    t.account_id AS account_id
  FROM accounts AS t
  WHERE
    t.account_id IS NOT NULL
)
SELECT DISTINCT
  accounts_now.account_id
FROM accounts_now
WHERE
  (
    accounts_now.account_id IS NOT NULL
    AND SUBSTRING(TO_HEX(MD5(@p1 || CAST(accounts_now.account_id AS STRING))), 1, 8) < @p2
  )
  AND NOT (
    accounts_now.account_id IS NOT NULL
    AND SUBSTRING(TO_HEX(MD5(@p3 || CAST(accounts_now.account_id AS STRING))), 1, 8) < @p4
  )

-- with:
-- {'p1': 'spring:', 'p2': '9999999a', 'p3': 'all:', 'p4': '1999999a'}
