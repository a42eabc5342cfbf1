WITH moment AS (
  SELECT
    CAST('2026-03-31 12:00:00' AS TIMESTAMP) AS as_of
), users_now AS (
  SELECT
    t.user_id AS user_id
  FROM users AS t
  WHERE
    t.user_id IS NOT NULL
), count_1 AS (
  SELECT
    e.user_id AS user_id,
    COUNT(DISTINCT e.id) AS value
  FROM events AS e
  WHERE
    e.event = 'Order Completed'
    AND e.timestamp > (SELECT as_of FROM moment) - INTERVAL '30' DAY
    AND e.timestamp <= (SELECT as_of FROM moment)
  GROUP BY
    e.user_id
), wanted_1 AS (
  SELECT DISTINCT
    users_now.user_id,
    COALESCE(count_1.value, 0) AS value
  FROM users_now
  LEFT JOIN count_1
    ON count_1.user_id = users_now.user_id
), said_1 AS (
  SELECT
    ENCODE(CAST(w.user_id AS TEXT)) AS k,
    COUNT(*) AS many,
    MIN(CAST(w.value AS TEXT)) AS low,
    MAX(CAST(w.value AS TEXT)) AS high,
    COUNT(CAST(w.value AS TEXT)) AS given,
    MAX(LENGTH(CAST(w.user_id AS TEXT))) AS longest,
    MIN(CAST(w.user_id AS TEXT)) AS id
  FROM wanted_1 AS w
  GROUP BY
    ENCODE(CAST(w.user_id AS TEXT))
), marked_1 AS (
  SELECT
    s.k,
    s.many,
    s.low,
    s.high,
    s.given,
    s.longest,
    s.id,
    SHA256(y.value || SHA256(y.value || s.id)) AS mark
  FROM said_1 AS s
  JOIN warehouse.personas.meta AS y
    ON y.name = 'forget_key'
), acknowledged_1 AS (
  SELECT
    ENCODE(CAST(b.member AS TEXT)) AS k,
    CAST(b.member AS TEXT) AS member,
    b.value AS value
  FROM warehouse.personas.members_other AS b
), acknowledged_2 AS (
  SELECT
    ENCODE(CAST(b.member AS TEXT)) AS k,
    CAST(b.member AS TEXT) AS member,
    b.value AS value
  FROM warehouse.personas.members_base AS b
  LEFT JOIN (
    SELECT
      d.k,
      d.member,
      d.change,
      d.value
    FROM (
      SELECT
        c.k,
        c.member,
        c.change,
        c.value,
        ROW_NUMBER() OVER (PARTITION BY c.k ORDER BY c.place DESC) AS nth
      FROM (
        SELECT
          ENCODE(CAST(c.member AS TEXT)) AS k,
          CAST(c.member AS TEXT) AS member,
          c.change AS change,
          c.value AS value,
          0 AS place
        FROM warehouse.personas.members_first AS c
        UNION ALL
        SELECT
          ENCODE(CAST(c.member AS TEXT)) AS k,
          CAST(c.member AS TEXT) AS member,
          c.change AS change,
          c.value AS value,
          1 AS place
        FROM warehouse.personas.members_second AS c
      ) AS c
    ) AS d
    WHERE
      d.nth = 1
  ) AS n
    ON n.k = ENCODE(CAST(b.member AS TEXT))
  WHERE
    n.k IS NULL
  UNION ALL
  SELECT
    l.k,
    l.member,
    l.value
  FROM (
    SELECT
      d.k,
      d.member,
      d.change,
      d.value
    FROM (
      SELECT
        c.k,
        c.member,
        c.change,
        c.value,
        ROW_NUMBER() OVER (PARTITION BY c.k ORDER BY c.place DESC) AS nth
      FROM (
        SELECT
          ENCODE(CAST(c.member AS TEXT)) AS k,
          CAST(c.member AS TEXT) AS member,
          c.change AS change,
          c.value AS value,
          0 AS place
        FROM warehouse.personas.members_first AS c
        UNION ALL
        SELECT
          ENCODE(CAST(c.member AS TEXT)) AS k,
          CAST(c.member AS TEXT) AS member,
          c.change AS change,
          c.value AS value,
          1 AS place
        FROM warehouse.personas.members_second AS c
      ) AS c
    ) AS d
    WHERE
      d.nth = 1
  ) AS l
  WHERE
    l.change <> 'exit' AND l.value <> 'null'
), compared_1 AS (
  SELECT
    COALESCE(s.k, a0.k, a1.k) AS k,
    a0.member AS member_0,
    a0.value AS value_0,
    a1.member AS member_1,
    a1.value AS value_1,
    s.low,
    COALESCE(
      (
        s.k IS NOT NULL
        AND s.longest <= 255
        AND s.many = 1
        AND x1.k IS NULL
        AND f.mark IS NULL
        AND a0.k IS NOT NULL
        AND a1.k IS NOT NULL
        AND ENCODE(CAST(s.low AS TEXT)) = ENCODE(CAST(a0.value AS TEXT))
        AND ENCODE(CAST(s.low AS TEXT)) = ENCODE(CAST(a1.value AS TEXT))
      ),
      FALSE
    ) AS alike,
    COALESCE(
      (
        s.k IS NOT NULL
        AND s.longest <= 255
        AND s.many = 1
        AND x1.k IS NULL
        AND f.mark IS NULL
        AND a0.k IS NULL
        AND a1.k IS NULL
        AND s.low = '0'
      ),
      FALSE
    ) AS idle
  FROM marked_1 AS s
  FULL JOIN acknowledged_1 AS a0
    ON a0.k = s.k
  FULL JOIN acknowledged_2 AS a1
    ON a1.k = COALESCE(s.k, a0.k)
  LEFT JOIN (
    SELECT
      ENCODE(CAST(u.member AS TEXT)) AS k
    FROM warehouse.personas.unknown_member AS u
    WHERE
      u.sync_id = 'orders -> analytics'
  ) AS x1
    ON x1.k = COALESCE(s.k, a0.k, a1.k)
  LEFT JOIN warehouse.personas.forgotten AS f
    ON f.mark = s.mark
), lines_1 AS (
  SELECT
    w.user_id,
    w.value,
    c.member_0,
    c.value_0,
    c.member_1,
    c.value_1,
    0 AS arm
  FROM compared_1 AS c
  LEFT JOIN wanted_1 AS w
    ON ENCODE(CAST(w.user_id AS TEXT)) = c.k
  WHERE
    NOT (
      c.alike OR c.idle
    )
), tally_1 AS (
  SELECT
    COUNT(CASE WHEN c.alike THEN 1 END) AS alike_members,
    COUNT(CASE WHEN c.alike AND c.low <> '0' THEN 1 END) AS saying_members,
    COUNT(CASE WHEN c.idle THEN 1 END) AS idle_members,
    1 AS arm
  FROM compared_1 AS c
)
SELECT
  lines_1.user_id,
  lines_1.value,
  lines_1.member_0,
  lines_1.value_0,
  lines_1.member_1,
  lines_1.value_1,
  tally_1.alike_members,
  tally_1.saying_members,
  tally_1.idle_members
FROM lines_1
FULL JOIN tally_1
  ON tally_1.arm = lines_1.arm
