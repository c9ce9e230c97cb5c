-- The extension's objects: labels, comments, schema, privileges, removal.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT * FROM no_plan();

-- CREATE and DROP leave nothing behind.
DROP EXTENSION IF EXISTS retention;
CREATE TEMP TABLE before AS SELECT (SELECT count(*) FROM pg_proc) AS proc, (SELECT count(*) FROM pg_type) AS type,
  (SELECT count(*) FROM pg_operator) AS operator, (SELECT count(*) FROM pg_cast) AS cast_,
  (SELECT count(*) FROM pg_opclass) AS opclass, (SELECT count(*) FROM pg_opfamily) AS opfamily,
    (SELECT count(*) FROM pg_class WHERE relnamespace <> pg_my_temp_schema()) AS class,
    (SELECT count(*) FROM pg_namespace) AS namespace,
  (SELECT count(*) FROM pg_depend WHERE refclassid <> 'pg_class'::regclass AND classid <> 'pg_class'::regclass) AS
    depend, (SELECT count(*) FROM pg_description) AS description;
CREATE EXTENSION retention;
SELECT isnt((SELECT count(*) FROM pg_proc), (SELECT proc FROM before), 'CREATE EXTENSION makes functions');
DROP EXTENSION retention;
SELECT is((SELECT count(*) FROM pg_proc), (SELECT proc FROM before), 'DROP EXTENSION removes them');
SELECT is(((SELECT count(*) FROM pg_operator), (SELECT count(*) FROM pg_cast), (SELECT count(*) FROM pg_opclass),
    (SELECT count(*) FROM pg_opfamily), (SELECT count(*) FROM pg_class WHERE relnamespace <> pg_my_temp_schema()),
    (SELECT count(*) FROM pg_namespace), (SELECT count(*) FROM pg_description))::text,
          (SELECT (operator, cast_, opclass, opfamily, class, namespace, description)::text FROM before),
            'and operators, casts, operator classes, relations, schemas, comments');
SELECT is((SELECT count(*) FROM pg_type WHERE typname IN ('cohort_table', '_cohort_table')), 0::bigint, 'and the type');
CREATE EXTENSION retention;

CREATE TEMP VIEW member AS SELECT classid, objid, pg_describe_object(classid, objid, 0) AS object FROM pg_depend
  WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'retention')
  AND deptype = 'e';
CREATE TEMP VIEW function AS SELECT p.*, p.oid::regprocedure::text AS signature, prorettype = 'internal'::regtype
  OR 'internal'::regtype = ANY (proargtypes) AS is_internal FROM pg_proc p
  JOIN member m ON classid = 'pg_proc'::regclass AND objid = p.oid;
CREATE TEMP VIEW aggregate AS SELECT a.*, signature FROM pg_aggregate a JOIN function f ON a.aggfnoid = f.oid;

SELECT is(extversion || ' ' || extrelocatable, '1.0 true', 'version 1.0, relocatable') FROM pg_extension
  WHERE extname = 'retention';
SELECT is(comment IS NULL OR comment = '', false, 'a comment in the control file') FROM pg_available_extensions
  WHERE name = 'retention' UNION ALL SELECT pass('pg_available_extensions does not see it here')
  WHERE NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'retention');

-- No state can be had or given by hand; whether the parser or the function says so depends on the server's version.
SELECT throws_ok(format('SELECT %s(%s)', proname,
    (SELECT string_agg(CASE WHEN t IN ('internal'::regtype, 'cstring'::regtype) THEN 'NULL'
    WHEN t = 'anyelement'::regtype THEN '1' WHEN t = '"any"'::regtype THEN 'now()'
                   ELSE 'NULL::' || format_type(t, NULL) END, ', ' ORDER BY i)
                     FROM unnest(proargtypes::oid[]) WITH ORDINALITY u (t, i))), NULL, NULL,
                     'not to be called: ' || signature)
FROM function WHERE 'internal'::regtype = ANY (proargtypes) ORDER BY signature;

-- What the design page promises is there.
SELECT is((SELECT string_agg(DISTINCT proname, ' ' ORDER BY proname) FROM function
    WHERE prokind = 'a' AND proname IN ('cohort_retention', 'rollup')), 'cohort_retention rollup', 'the aggregates');
SELECT is((SELECT count(*) FROM aggregate WHERE signature ~ 'cohort_retention\(anyelement,'), 12::bigint,
  'twelve forms of cohort_retention over rows');
SELECT is((SELECT string_agg(DISTINCT proname, ' ' ORDER BY proname) FROM function
    WHERE proname IN ('cohort_rows', 'retention_curve', 'lifecycle_rows', 'retention_test', 'cohort_chart', 'cohort_summary')),
  'cohort_chart cohort_rows cohort_summary lifecycle_rows retention_curve retention_test', 'the accessors');
SELECT is((SELECT string_agg(a.n || ' ' || format_type(t, NULL), ', ' ORDER BY o)
    FROM unnest(proargnames, proallargtypes, proargmodes) WITH ORDINALITY a (n, t, m, o) WHERE m = 't'),
          'cohort timestamp without time zone, period integer, period_start timestamp without time zone, size '
            'bigint, at_risk bigint, retained bigint, rate double precision, rate_low double precision, rate_high '
            'double precision, complete boolean, seen bigint', 'columns of ' || signature)
FROM function WHERE proname = 'cohort_rows';
SELECT is((SELECT string_agg(a.n || ' ' || format_type(t, NULL), ', ' ORDER BY o)
    FROM unnest(proargnames, proallargtypes, proargmodes) WITH ORDINALITY a (n, t, m, o) WHERE m = 't'),
          'period integer, cohorts bigint, at_risk bigint, retained bigint, rate double precision, rate_low double '
            'precision, rate_high double precision', 'columns of ' || signature) FROM function
            WHERE proname = 'retention_curve';
SELECT is((SELECT string_agg(a.n || ' ' || format_type(t, NULL), ', ' ORDER BY o)
    FROM unnest(proargnames, proallargtypes, proargmodes) WITH ORDINALITY a (n, t, m, o) WHERE m = 't'),
          'period_start timestamp without time zone, active bigint, new bigint, returning bigint, resurrected '
            'bigint, dormant bigint, complete boolean', 'columns of ' || signature) FROM function
            WHERE proname = 'lifecycle_rows';
SELECT is((SELECT string_agg(DISTINCT format_type(proargtypes[CASE name WHEN 'retention_test' THEN 3 ELSE 1 END], NULL),
    ', ') FROM function WHERE proname = name), '"any", text',
  'as_of of ' || name)
FROM unnest('{cohort_rows,retention_curve,lifecycle_rows,retention_test}'::text[]) name;

-- Labels.
SELECT is_empty('SELECT signature FROM function WHERE proparallel <> ''s''', 'every function is parallel safe');
SELECT is_empty('SELECT signature FROM function
    WHERE provolatile = ''v'' OR (provolatile = ''s'' AND prokind <> ''a''
    AND NOT signature ~ ''timestamp with time zone|text|internal|anyenum|record|anycompatible|"any"'')',
  'none is volatile, and stable only what may look at the session''s zone or DateStyle, or at labels of an enum');
SELECT is_empty('SELECT signature FROM function WHERE prokind = ''f'' AND proname ~ ''(_in|_out|_send|_recv|_eq|_ne)$''
    AND (provolatile <> ''i'' OR NOT proisstrict)', 'input, output and operators are immutable and strict');
SELECT is_empty('SELECT signature FROM function WHERE prosecdef OR proconfig IS NOT NULL',
  'none is SECURITY DEFINER or changes settings');
SELECT is_empty('SELECT signature FROM function f JOIN pg_language l ON l.oid = prolang
    WHERE prokind = ''f'' AND NOT (lanname = ''c'' OR (lanname = ''sql'' AND prosqlbody IS NOT NULL))',
  'C, or SQL bound at creation');
SELECT is_empty('SELECT signature FROM function WHERE proleakproof', 'none claims to be leakproof');
SELECT is_empty('SELECT signature FROM function WHERE proretset AND prorows = 0', 'sets have an estimate');
SELECT is_empty('SELECT signature FROM aggregate WHERE (aggcombinefn = 0) <> (signature ~ ''^churn_model\(''::text)',
  'every aggregate can be combined, but those that keep a matrix: it is not to be copied');
SELECT is_empty('SELECT signature FROM aggregate
    WHERE (aggtranstype = ''internal''::regtype AND aggcombinefn <> 0) <> (aggserialfn <> 0 AND aggdeserialfn <> 0)',
  'and serialised, where the state is internal');
SELECT is_empty('SELECT a.signature FROM aggregate a, function f WHERE f.oid IN (aggserialfn, aggdeserialfn)
    AND NOT f.proisstrict', 'serialisation is strict');
SELECT is_empty('SELECT a.signature FROM aggregate a, function f
    WHERE f.oid IN (aggtransfn, aggcombinefn) AND f.proisstrict', 'transition and combination are not: they see NULLs');
SELECT is_empty('SELECT signature FROM aggregate WHERE aggfinalmodify <> ''r''',
  'final functions write nothing, so windows and shared states work');
SELECT is_empty('SELECT signature FROM aggregate WHERE aggtranstype = ''internal''::regtype AND aggtransspace = 0',
  'the size of an internal state is estimated');
SELECT is_empty('SELECT signature FROM aggregate JOIN function f USING (signature)
    WHERE pronargdefaults > 0 OR provariadic <> 0', 'positional arguments');
SELECT is_empty('SELECT object FROM member
    WHERE obj_description(objid, (SELECT relname FROM pg_class WHERE oid = classid)::name) IS NULL
    AND object !~ ''^type .*\[\]$''', 'every object has a comment, but for the array types of newer servers');
SELECT is_empty('SELECT signature FROM function WHERE prokind = ''f'' AND NOT is_internal AND proacl IS NOT NULL',
  'everybody may use everything');
SELECT is_empty($$SELECT signature FROM function f JOIN pg_language l ON l.oid = prolang
    WHERE lanname = 'c' AND probin !~ '(^|/)retention$'$$, 'all of one library');
SELECT is((SELECT (typlen, typbyval, typalign, typstorage, typreceive <> 0, typsend <> 0)::text FROM pg_type
    WHERE typname = 'cohort_table'), '(-1,f,i,x,t,t)', 'cohort_table: a toastable type with binary I/O');
SELECT is_empty('SELECT object FROM pg_operator o JOIN member ON classid = ''pg_operator''::regclass AND objid = o.oid
    WHERE oprname IN (''='', ''<>'') AND (oprleft <> oprright OR oprcom = 0 OR oprnegate = 0)',
  '= and <> know each other');
SELECT is_empty('SELECT object FROM member JOIN pg_class c ON classid = ''pg_class''::regclass AND objid = c.oid',
  'no tables, no views');
-- Functions of internal state cannot be called by hand.
SELECT is_empty('SELECT signature FROM function WHERE prokind = ''f'' AND prorettype = ''internal''::regtype
    AND NOT ''internal''::regtype = ANY (proargtypes)', 'no function makes internal values from others');

-- Another schema, an empty search_path.
CREATE TABLE orders (customer integer, at timestamptz);
INSERT INTO orders SELECT i % 10, timestamptz '2024-01-01 12:00+00' + i * interval '1 day'
  FROM generate_series(1, 100) i;
CREATE TEMP TABLE answer AS SELECT string_agg(r::text, ';') AS r
  FROM (SELECT cohort_retention(customer, at, 'week', interval '7 days', 'Europe/Paris') AS t FROM orders) q,
  cohort_rows(t) r;
CREATE SCHEMA elsewhere;
ALTER EXTENSION retention SET SCHEMA elsewhere;
SELECT is((SELECT count(*) FROM function WHERE pronamespace <> 'elsewhere'::regnamespace), 0::bigint,
  'ALTER EXTENSION SET SCHEMA moves everything');
CREATE MATERIALIZED VIEW report AS SELECT r.*, elsewhere.cohort_chart(t) AS chart
  FROM (SELECT elsewhere.cohort_retention(customer, at, 'week', interval '7 days', 'Europe/Paris') AS t FROM orders) q,
  elsewhere.cohort_rows(t) r;
CREATE TEMP TABLE calls (query text);
INSERT INTO calls VALUES
  ($$SELECT pg_catalog.string_agg(r::pg_catalog.text, ';')
    FROM (SELECT elsewhere.cohort_retention(customer, at, 'week', interval '7 days', 'Europe/Paris') AS t
      FROM public.orders) q, elsewhere.cohort_rows(t) r$$),
  ($$SELECT count(*)::text FROM (SELECT elsewhere.cohort_retention(customer, at, 'week', 'Europe/Paris') AS t
      FROM public.orders) q, elsewhere.cohort_rows(t, '2024-03-01'), elsewhere.retention_curve(t, date '2024-03-01'),
      elsewhere.lifecycle_rows(t, timestamptz '2024-03-01'), elsewhere.retention_test(t, t, 1, '2024-03-01'),
        elsewhere.cohort_chart(t), CAST (t AS jsonb) j, CAST (CAST (t AS text) AS elsewhere.cohort_table) u
        WHERE t OPERATOR(elsewhere.=) u AND NOT t OPERATOR(elsewhere.<>) u$$),
  ($$SELECT elsewhere.rollup(t)::text
    FROM (SELECT elsewhere.cohort_retention(customer, at, 'week', 'Europe/Paris') AS t FROM public.orders
      GROUP BY customer) q$$);
CREATE FUNCTION pg_temp.run(query text) RETURNS text LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE r text;
BEGIN
  EXECUTE query INTO r;
  RETURN r;
END $$;
SELECT is(pg_temp.run(query), (SELECT r FROM answer), 'rows with an empty search_path') FROM calls
  WHERE query LIKE '%string_agg%';
SELECT isnt(pg_temp.run(query), '0', 'runs with an empty search_path: ' || left(query, 60)) FROM calls
  WHERE query NOT LIKE '%string_agg%';
SELECT set_config('search_path', '', true) \g /dev/null
REFRESH MATERIALIZED VIEW public.report;
SET search_path = public;
SELECT is((SELECT count(*) FROM report),
  (SELECT count(*) FROM (SELECT elsewhere.cohort_retention(customer, at, 'week', interval '7 days', 'Europe/Paris') AS t
    FROM orders) q, elsewhere.cohort_rows(t)), 'so does REFRESH MATERIALIZED VIEW');
SELECT is((SELECT count(DISTINCT pg_get_viewdef('report'::regclass))), 1::bigint, 'a view on it can be shown');
SELECT throws_ok('DROP EXTENSION retention', '2BP01', NULL, 'DROP EXTENSION respects what depends on it');
DROP MATERIALIZED VIEW report;

-- Trusted: an owner of the database who is no superuser can create it.
DROP EXTENSION retention;
SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser \gset
\if :superuser
CREATE ROLE retention_test_owner;
SELECT format('GRANT CREATE ON DATABASE %I TO retention_test_owner', current_database()) \gexec
CREATE SCHEMA AUTHORIZATION retention_test_owner;
GRANT SELECT ON orders TO retention_test_owner;
CREATE FUNCTION pg_temp.as_owner(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text := 'done';
BEGIN
  SET LOCAL ROLE retention_test_owner;
  IF command LIKE 'SELECT%' THEN EXECUTE command INTO r; ELSE EXECUTE command; END IF;
  RESET ROLE;
  RETURN r;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLERRM;
END $$;
SELECT is(pg_temp.as_owner('CREATE EXTENSION retention SCHEMA retention_test_owner'), 'done',
  'trusted: created without superuser');
SELECT is(pg_temp.as_owner('SELECT count(*)
    FROM (SELECT retention_test_owner.cohort_retention(customer, at, ''month'', ''UTC'') AS t FROM public.orders) q,
    retention_test_owner.cohort_rows(t) WHERE period = 0'), '1', 'and used');
SELECT is(pg_temp.as_owner('DROP EXTENSION retention'), 'done', 'and dropped');
\else
SELECT skip('not a superuser, so no other role can be made', 3);
\endif

SELECT * FROM finish();
ROLLBACK;
