# Runs one peer from PyPI (pip install reladiff psycopg2-binary duckdb) in a separate process. It
# prints one line of JSON, as one.ts does. All peers compare two tables of one database: the
# benchmark's table, and the table with the records of its topic. DuckDB compares them naively, from
# two CSV files. Google's DVT (google-pso-data-validator) compares them with its own command, which
# BENCH_DVT names.
import json, os, resource, subprocess, sys, time

def uri():
    e = os.environ
    return f"postgresql://{e['PGUSER']}:{e.get('PGPASSWORD', '')}@{e['PGHOST']}:{e['PGPORT']}/sluice_bench"

COLUMNS = ["customer_id", "status", "city", "note", "code", "price", "rate", "ok", "ordered_at", "ref", "doc"]

def with_reladiff(algorithm):
    import reladiff
    tables = [reladiff.connect_to_table(uri(), name, "id", thread_count=2) for name in ("wide", "wide_topic")]
    found = set()
    for _sign, row in reladiff.diff_tables(*tables, key_columns=("id",), extra_columns=tuple(COLUMNS), algorithm=algorithm):
        found.add(row[0])
    return len(found)

def with_duckdb():
    import duckdb
    folder = sys.argv[2]
    for table in ("wide", "wide_topic"):
        with open(f"{folder}/{table}.csv", "wb") as out:
            copy_out(table, out)
    differs = " OR ".join(f"a.{c} IS DISTINCT FROM b.{c}" for c in COLUMNS)
    read = lambda t: f"read_csv('{folder}/{t}.csv')"
    return duckdb.sql(f"SELECT count(*) FROM {read('wide')} a FULL JOIN {read('wide_topic')} b ON a.id = b.id WHERE a.id IS NULL OR b.id IS NULL OR {differs}").fetchall()[0][0]

def copy_out(table, out):
    import psycopg2
    connection = psycopg2.connect(uri())
    connection.cursor().copy_expert(f"COPY {table} TO STDOUT (FORMAT csv, HEADER)", out)
    connection.close()

def with_dvt():
    e = os.environ
    env = {**e, "PSO_DV_CONN_HOME": sys.argv[2]}
    tool = e["BENCH_DVT"]
    connection = ["--host", e["PGHOST"], "--port", e["PGPORT"], "--user", e["PGUSER"], "--password", e.get("PGPASSWORD") or "-", "--database", "sluice_bench"]
    subprocess.run([tool, "connections", "add", "--connection-name", "bench", "Postgres", *connection], env=env, check=True, capture_output=True)
    compare = ["validate", "row", "-sc", "bench", "-tc", "bench", "-tbls", "public.wide=public.wide_topic", "-pk", "id", "--hash", "*", "--filter-status", "fail", "--format", "json"]
    answer = subprocess.run([tool, *compare], env=env, capture_output=True, text=True)
    if answer.returncode != 0:
        raise RuntimeError(answer.stderr[-2000:])
    text = answer.stdout
    return len(json.loads(text[text.index("{"):])) if "{" in text else 0

def main():
    started = time.perf_counter()
    found = {"reladiff": lambda: with_reladiff("hashdiff"), "reladiff-join": lambda: with_reladiff("joindiff"), "duckdb": with_duckdb, "dvt": with_dvt}[sys.argv[1]]()
    seconds = time.perf_counter() - started
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(u.ru_utime + u.ru_stime for u in usages)
    print(json.dumps({"found": found, "seconds": seconds, "cpu": cpu, "rssMb": max(u.ru_maxrss for u in usages) // 1024}))

main()
