// Lists functions of PostgreSQL: built-in functions that the analysis knows, and functions that
// change something. Also lists functions whose result can differ although the rows and arguments
// are the same.

export const VOLATILE: ReadonlySet<string> = new Set(
  (
    'random random_normal setseed gen_random_uuid uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 uuidv4 uuidv7 clock_timestamp timeofday nextval currval lastval setval ' +
    'txid_current pg_current_xact_id pg_backend_pid pg_sleep gen_random_bytes gen_salt pg_current_wal_lsn inet_client_addr'
  ).split(' '),
);

/** Functions that a query calls for what they change, not for their result. */
export const CHANGES_SOMETHING =
  /^(pg_notify|pg_logical_emit_message|pg_(cancel|terminate)_backend|dblink_(exec|send_query)|lo_(creat|create|export|from_bytea|import|put|unlink))$/;

const BUILT_IN: ReadonlySet<string> = new Set(
  (
    'count sum avg min max bool_and bool_or every array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg stddev stddev_pop stddev_samp variance var_pop var_samp corr ' +
    'covar_pop covar_samp regr_slope regr_intercept regr_count regr_r2 bit_and bit_or bit_xor any_value percentile_cont percentile_disc mode rank dense_rank row_number percent_rank cume_dist ' +
    'ntile lag lead first_value last_value nth_value abs ceil ceiling floor round trunc mod power sqrt cbrt exp ln log log10 sign div gcd lcm greatest least width_bucket factorial degrees ' +
    'radians sin cos tan asin acos atan atan2 pi length char_length character_length octet_length bit_length lower upper initcap trim btrim ltrim rtrim lpad rpad left right substring substr ' +
    'position strpos replace translate repeat reverse split_part string_to_array array_to_string concat concat_ws format md5 sha256 encode decode ascii chr quote_literal quote_ident overlay ' +
    'regexp_replace regexp_match regexp_matches regexp_split_to_array regexp_split_to_table regexp_count regexp_like regexp_substr starts_with to_char to_date to_timestamp to_number date_trunc ' +
    'date_part extract age make_date make_time make_timestamp make_timestamptz make_interval justify_days justify_hours justify_interval date_bin isfinite timezone overlaps generate_series ' +
    'generate_subscripts unnest array_length array_upper array_lower cardinality array_append array_prepend array_cat array_remove array_position array_positions array_ndims coalesce nullif ' +
    'json_build_object jsonb_build_object json_build_array jsonb_build_array json_array_elements jsonb_array_elements json_array_elements_text jsonb_array_elements_text json_each jsonb_each ' +
    'json_each_text jsonb_each_text jsonb_object_keys json_object_keys jsonb_set jsonb_insert jsonb_strip_nulls jsonb_typeof json_typeof jsonb_array_length json_array_length to_json to_jsonb ' +
    'row_to_json jsonb_path_query jsonb_path_exists jsonb_path_query_first json_extract_path_text jsonb_extract_path_text jsonb_extract_path jsonb_to_recordset json_to_recordset ' +
    'jsonb_populate_record lower_inc upper_inc isempty range_merge int4range int8range numrange tsrange tstzrange daterange grouping num_nulls num_nonnulls hashtext hashtextextended crc32 ' +
    'setweight to_tsvector to_tsquery plainto_tsquery ts_rank ts_headline similarity unaccent text date int4 int8 numeric float8 bool inet host masklen network like_escape between ' +
    'pg_typeof array_to_json xmlagg xmlelement daterange_subdiff mod ltrim string_to_table array_fill trim_array array_replace erf unistr normalize casefold is_distinct_from'
  ).split(' '),
);

/**
 * Returns whether the function is one of the built-in functions listed here. `name` has the parts
 * of the function's name as written. A function of a schema other than pg_catalog is not built in.
 */
export function isBuiltIn(name: readonly string[]): boolean {
  const schema = name.length > 1 ? name[0] : 'pg_catalog';
  return schema === 'pg_catalog' && (BUILT_IN.has(name.at(-1)!) || VOLATILE.has(name.at(-1)!));
}
