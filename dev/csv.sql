-- From the text of a CSV file to a table orders (customer_id text, ordered_at, amount numeric), for ./demo orders.csv.
--
-- Reads the temporary table csv (line, customer, "time", amount), all text, one row for each record. A first record whose time
-- is no time is a header. Times with a zone make ordered_at a timestamptz, else it is a timestamp: wall-clock time, as written.
-- Records without customer or time are left out, and counted. The first value that cannot be read is an error that names its line.
-- Never guesses a date's order: 13/05/2024 is read as DateStyle says, or refused.

\set VERBOSITY terse

CREATE FUNCTION pg_temp.is_time(t text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM t::timestamp;
  RETURN true;
EXCEPTION WHEN data_exception THEN
  RETURN false;
END $$;

-- physical line on which a record starts: quoted fields may hold line breaks
CREATE FUNCTION pg_temp.physical_line(record bigint) RETURNS bigint LANGUAGE sql AS $$
  SELECT record + coalesce(sum(length(concat(customer, "time", amount)) - length(replace(concat(customer, "time", amount), E'\n', ''))), 0)
  FROM csv WHERE line < record
$$;

DELETE FROM csv WHERE line = 1 AND "time" ~ '[[:alpha:]]' AND "time" !~ '[0-9][-/.][0-9]' AND NOT pg_temp.is_time("time");

DO $$
DECLARE
  r record;
  moment text;
  left_out bigint;
BEGIN
  SELECT CASE WHEN bool_or("time" ~* ':[0-9]{2}([.,][0-9]+)?\s*([+-][0-9]{1,2}(:?[0-9]{2}){0,2}|z|[a-z]{3,5}|[a-z]+/[a-z_/]+)\s*$')
              THEN 'timestamptz' ELSE 'timestamp' END
  INTO moment FROM csv;
  BEGIN
    EXECUTE format('CREATE TABLE orders AS SELECT customer AS customer_id, "time"::%s AS ordered_at, nullif(btrim(amount), '''')::numeric AS amount
                    FROM csv WHERE btrim(customer) <> '''' AND btrim("time") <> '''' ORDER BY line', moment);
  EXCEPTION WHEN data_exception THEN
    FOR r IN SELECT * FROM csv WHERE btrim(customer) <> '' AND btrim("time") <> '' ORDER BY line LOOP
      BEGIN
        EXECUTE format('SELECT %L::%s', r."time", moment);
      EXCEPTION WHEN data_exception THEN
        RAISE EXCEPTION 'line %: "%" is not a time; write it like 2025-01-31 or 2025-01-31 17:45:00', pg_temp.physical_line(r.line), r."time";
      END;
      BEGIN
        PERFORM nullif(btrim(r.amount), '')::numeric;
      EXCEPTION WHEN data_exception THEN
        RAISE EXCEPTION 'line %: "%" is not an amount; write it like 1234.50', pg_temp.physical_line(r.line), r.amount;
      END;
    END LOOP;
    RAISE;
  END;
  SELECT * INTO r FROM csv WHERE btrim(customer) <> '' AND btrim("time") <> '' AND NOT isfinite("time"::timestamp) ORDER BY line LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'line %: "%" is not a finite time', pg_temp.physical_line(r.line), r."time";
  END IF;
  IF NOT EXISTS (SELECT FROM orders) THEN
    RAISE EXCEPTION 'there are no orders in it';
  END IF;
  SELECT count(*) INTO left_out FROM csv WHERE (btrim(customer) <> '' AND btrim("time") <> '') IS NOT TRUE;
  IF left_out > 0 THEN
    RAISE WARNING 'left out, for want of customer or time: % of the lines', left_out;
  END IF;
END $$;

DROP TABLE csv;
ANALYZE orders;
