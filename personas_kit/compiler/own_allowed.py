"""What may stand in SQL of a person's own, by name: parts of a SELECT, types, functions. What is not here is refused.

Data only; ``own_sql`` reads it. Parts and functions bear sqlglot's names (one function has many spellings); a function
that sqlglot does not know stands here as its dialect spells it. Each gives a value for values and does nothing else: it
reads no file, no table, no setting and no clock, it draws no lots, and it does not ask who asks.
"""

# ruff: noqa: SIM905  - one word a line would be many pages

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: Parts of a SELECT, and operators.
PARTS: Final = frozenset(
    """
    Select Subquery Union Except Intersect With CTE From Join Lateral TableFromRows Table Values Where Group Having
    Qualify Order Ordered Limit Offset Fetch LimitOptions Distinct Window WindowSpec Cube Rollup GroupingSets Alias
    Aliases TableAlias Column Identifier Star Literal RawString Null Boolean Paren Tuple Var DataType DataTypeParam
    Interval IntervalSpan Placeholder Parameter Add Sub Mul Div IntDiv Mod Neg BitwiseAnd BitwiseOr BitwiseXor
    BitwiseNot BitwiseLeftShift BitwiseRightShift EQ NEQ GT GTE LT LTE NullSafeEQ NullSafeNEQ Is Not Between In Like
    ILike SimilarTo Glob Escape DPipe Any All Overlaps Collate AtTimeZone FromTimeZone Dot Bracket Slice PropertyEQ
    Kwarg Lambda Comprehension JSON JSONExtractQuote JSONKeyValue JSONPath JSONPathKey JSONPathRecursive
    JSONPathRoot JSONPathSlice JSONPathSubscript JSONPathUnion JSONPathWildcard JSONValue OnCondition Pseudocolumn
    Filter WithinGroup IgnoreNulls RespectNulls HavingMax Distance
    """.split()
)

#: Functions, by sqlglot's name.
FUNCTIONS: Final = frozenset(
    """
    And Or Xor Case If Coalesce Cast TryCast Exists Unnest Explode Nullif Nvl2 Greatest Least DecodeCase EqualNull
    IsNullValue IsArray IsInf IsNan Typeof Booland Boolor Boolnot

    Abs Acos Acosh Asin Asinh Atan Atan2 Atanh Cbrt Ceil Cos Cosh Cot Coth Degrees Exp Factorial Floor Ln Log Pi Pow
    Radians Round Sign Sin Sinh Sqrt Tan Tanh Trunc WidthBucket BitwiseCount Getbit RangeBucket SafeAdd SafeDivide
    SafeFunc SafeMultiply SafeNegate SafeSubtract

    Ascii BitLength ByteLength Chr CodePointsToString Concat ConcatWs Contains EndsWith Format Host Initcap
    JarowinklerSimilarity Left Length Levenshtein Lower NetFunc Normalize Overlay Pad ParseIp ParseUrl RegDomain
    RegexpCount RegexpExtract RegexpExtractAll RegexpFullMatch RegexpILike RegexpInstr RegexpLike RegexpReplace
    RegexpSplit RegexpSubstr Repeat Replace Reverse Right RtrimmedLength Soundex Space Split SplitPart StartsWith
    StrPosition String StringToArray Strtok StrtokToArray Substring SubstringIndex ToChar ToCodePoints Translate
    Trim Unicode Upper Base64DecodeString Base64Encode Decode Encode FarmFingerprint FromBase64 Hex LowerHex MD5
    MD5Digest SHA SHA1Digest SHA2 SHA2Digest SafeConvertBytesToString ToBase64 Unhex

    AddMonths ConvertTimezone Date DateAdd DateBin DateDiff DateFromParts DateFromUnixDate DateStrToDate DateSub
    DateTrunc Datetime DatetimeAdd DatetimeDiff DatetimeSub DatetimeTrunc Day DayOfMonth DayOfWeek DayOfWeekIso
    DayOfYear Dayname Extract Hour JustifyDays JustifyHours JustifyInterval LastDay MakeInterval Minute Month
    Monthname MonthsBetween NextDay ParseDatetime ParseTime PreviousDay Quarter Second StrToDate StrToTime StrToUnix
    Time TimeAdd TimeDiff TimeFromParts TimeSlice TimeStrToDate TimeStrToTime TimeSub TimeToStr TimeToUnix TimeTrunc
    Timestamp TimestampAdd TimestampDiff TimestampFromParts TimestampLtzFromParts TimestampSub TimestampTrunc
    TimestampTzFromParts ToDays TsOrDiToDi TsOrDsAdd TsOrDsDiff TsOrDsToDate TsOrDsToDatetime TsOrDsToTime
    TsOrDsToTimestamp UnixDate UnixMicros UnixMillis UnixSeconds UnixToTime Week WeekOfYear WeekStart Year
    YearOfWeek YearOfWeekIso

    Float64 Int64 LaxBool LaxFloat64 LaxInt64 LaxString ParseBignumeric ParseNumeric ToBinary ToBoolean ToDouble
    ToNumber ToVariant Try

    CheckJson GetExtract JSONArray JSONArrayContains JSONBContains JSONBContainsAllTopKeys JSONBContainsAnyTopKeys
    JSONBContainsTopKey JSONBExists JSONBExtract JSONBExtractScalar JSONBPathExists JSONBool JSONExists JSONExtract
    JSONExtractArray JSONExtractScalar JSONFormat JSONKeys JSONKeysAtDepth JSONObject JSONRemove JSONSet
    JSONStripNulls JSONType JSONValueArray ObjectInsert ParseJSON StripNullValue XMLGet

    Array ArrayAll ArrayAny ArrayAppend ArrayCompact ArrayConcat ArrayConstructCompact ArrayContainedBy
    ArrayContains ArrayContainsAll ArrayDistinct ArrayExcept ArrayFilter ArrayFirst ArrayInsert ArrayIntersect
    ArrayLast ArrayMax ArrayMin ArrayOverlaps ArrayPosition ArrayPrepend ArrayRemove ArrayRemoveAt ArrayReverse
    ArraySize ArraySlice ArraySort ArraySum ArrayToString ArraysZip CosineDistance DotProduct EuclideanDistance
    Flatten List ManhattanDistance Map MapContainsKey MapFromEntries MapKeys MapSize Reduce Struct StructExtract
    ToArray Transform VarMap

    AnyValue ApproxDistinct ApproxQuantile ApproxQuantiles ApproxTopK ApproxTopSum ArgMax ArgMin ArrayAgg
    ArrayConcatAgg ArrayUniqueAgg Avg BitwiseAndAgg BitwiseOrAgg BitwiseXorAgg BoolxorAgg Corr Count CountIf
    CovarPop CovarSamp First GroupConcat Grouping GroupingId JSONArrayAgg JSONBObjectAgg JSONObjectAgg Kurtosis Last
    LogicalAnd LogicalOr Max Median Min Mode ObjectAgg PercentileCont PercentileDisc Quantile RegrAvgx RegrAvgy
    RegrCount RegrIntercept RegrR2 RegrSlope RegrSxx RegrSxy RegrSyy RegrValx RegrValy Skewness Stddev StddevPop
    StddevSamp Sum Variance VariancePop CumeDist DenseRank FirstValue Lag LastValue Lead NthValue Ntile PercentRank
    Rank RowNumber
    """.split()
)

_DUCKDB = """
    bin bit_count cardinality century damerau_levenshtein date_part date_sub datepart datesub decade element_at
    entropy epoch_ns epoch_us era even favg fsum gamma gcd geometric_mean hamming hash histogram isfinite isoyear
    jaccard jaro_similarity json_array_length json_contains json_exists json_group_array json_group_object
    json_merge_patch json_quote json_structure json_transform json_valid json_value julian lcm lgamma list_aggregate
    list_any_value list_avg list_count list_element list_extract list_first list_has_all list_intersect list_last
    list_position list_reduce list_reverse list_select list_slice list_sum list_unique list_zip mad make_timestamptz
    map_contains map_entries map_extract map_values microsecond millennium millisecond nfc_normalize octet_length
    prefix printf product regexp_escape regexp_split_to_array round_even row sem signbit strip_accents strlen suffix
    timezone to_hours to_json to_months to_seconds to_weeks to_years try_strptime unbin url_decode url_encode
    weekday yearweek
"""
_SNOWFLAKE = """
    arrays_to_object as_array as_boolean as_char as_date as_decimal as_double as_integer as_number as_object as_real
    as_time as_timestamp_ltz as_timestamp_ntz as_timestamp_tz as_varchar conditional_change_event
    conditional_true_event hash haversine is_boolean is_char is_date is_decimal is_double is_integer is_object
    is_real is_varchar object_delete object_pick ratio_to_report to_object to_timestamp to_timestamp_ltz
    to_timestamp_ntz to_timestamp_tz try_to_timestamp try_to_timestamp_ltz try_to_timestamp_ntz try_to_timestamp_tz
"""
_POSTGRES = """
    area array_lower array_ndims array_positions array_replace array_to_json array_upper bit_count cardinality
    casefold convert_from convert_to daterange every gcd int4range isempty isfinite json_array_length
    json_build_array json_build_object json_typeof jsonb_agg jsonb_array_length jsonb_build_array jsonb_build_object
    jsonb_extract_path jsonb_extract_path_text jsonb_object jsonb_path_exists jsonb_path_match
    jsonb_path_query_array jsonb_path_query_first jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_typeof lcm
    lower_inc make_date make_timestamptz masklen min_scale network num_nonnulls num_nulls numrange octet_length
    range_merge regexp_match regexp_split_to_array row row_to_json scale sha224 sha384 similarity timezone to_ascii
    to_json to_jsonb trim_array trim_scale tsrange tstzrange upper_inc word_similarity
"""
#: Functions that sqlglot does not know, by dialect, as they are called there.
CALLED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "duckdb": frozenset(_DUCKDB.split()),
        "snowflake": frozenset(_SNOWFLAKE.split()),
        "postgres": frozenset(_POSTGRES.split()),
        "bigquery": frozenset({"array_includes", "date_bucket", "ieee_divide", "range"}),
    }
)
#: Functions that make lines of one value, and may stand where a table does.
LINES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "duckdb": frozenset({"json_each", "json_tree"}),
        "snowflake": frozenset(),
        "postgres": frozenset(
            """
            json_array_elements json_array_elements_text json_each json_each_text json_object_keys jsonb_array_elements
            jsonb_array_elements_text jsonb_each jsonb_each_text jsonb_object_keys regexp_split_to_table string_to_table
            """.split()
        ),
        "bigquery": frozenset(),
    }
)

#: Types that a value may be cast to: those of the language. One that somebody has made may run what they wrote.
TYPES: Final = frozenset(
    """
    ARRAY BIGDECIMAL BIGINT BINARY BIT BOOLEAN BPCHAR CHAR DATE DATERANGE DATETIME DECFLOAT DECIMAL DOUBLE FLOAT
    INET INT INT128 INT256 INT4RANGE INT8RANGE INTERVAL JSON JSONB LIST MAP MEDIUMINT NCHAR NULL NUMRANGE NVARCHAR
    OBJECT SMALLINT STRUCT TEXT TIME TIMESTAMP TIMESTAMPLTZ TIMESTAMPNTZ TIMESTAMPTZ TIMESTAMP_MS TIMESTAMP_NS
    TIMESTAMP_S TIMETZ TINYINT TSRANGE TSTZRANGE UBIGINT UINT UINT128 USMALLINT UTINYINT UUID VARBINARY VARCHAR
    VARIANT
    """.split()
)

#: Give another answer each time, by the clock or by chance; those that sqlglot does not know in small letters.
CLOCKS: Final = frozenset(
    """
    CurrentDate CurrentDatetime CurrentTime CurrentTimestamp CurrentTimestampLTZ Localtime Localtimestamp
    Systimestamp UtcDate UtcTime UtcTimestamp clock_timestamp current_localtime current_localtimestamp
    get_current_time get_current_timestamp getdate now statement_timestamp sysdate timeofday today
    transaction_timestamp
    """.split()
)
CHANCE: Final = frozenset(
    """
    Normal Rand Randn Randstr Seq1 Seq2 Seq4 Seq8 Shuffle Uniform Uuid Zipf gen_random_uuid random_normal setseed
    uuidv4 uuidv7
    """.split()
)
#: Words that are functions without parentheses in DuckDB and PostgreSQL, and that sqlglot takes for columns.
BARE: Final = frozenset("current_catalog current_role current_schema session_user system_user user".split())
