"""An engine that runs inside a process: takes rows in, or answers statements, one line of JSON each.

`peer.py load`: the first line of the input says what to do, the rest are rows separated by tabs.
`peer.py ask`:  the first line says what to open, each further line is a list of statements.
"""

import json
import os
import sys
import time

CHUNK_BYTES = 96 << 20


class Sqlite:
    def __init__(self, folder):
        import sqlite3

        self.version = "SQLite " + sqlite3.sqlite_version
        self.connection = sqlite3.connect(os.path.join(folder, "bench.sqlite"), isolation_level=None)

    def run(self, statement):
        cells = self.connection.execute(statement).fetchall()
        return [[text(cell) for cell in row] for row in cells]

    def take(self, path, insert):
        with open(path, encoding="utf-8") as rows:
            split = (line.rstrip("\n").split("\t") for line in rows)
            values = ([None if cell == "\\N" else cell for cell in row] for row in split)
            self.connection.execute("BEGIN")
            self.connection.executemany(insert, values)
            self.connection.execute("COMMIT")

    def close(self):
        self.connection.close()


class DuckDb:
    def __init__(self, folder):
        import duckdb

        self.version = "DuckDB " + duckdb.__version__
        self.connection = duckdb.connect(os.path.join(folder, "bench.duckdb"))

    def run(self, statement):
        cells = self.connection.execute(statement).fetchall()
        return [[text(cell) for cell in row] for row in cells]

    def take(self, path, insert):
        self.connection.execute(insert.replace("{file}", path))

    def close(self):
        self.connection.close()


class ClickHouse:
    def __init__(self, folder):
        from chdb import session

        self.session = session.Session(os.path.join(folder, "clickhouse"))
        self.version = "ClickHouse " + self.run("SELECT version()")[0][0]

    def run(self, statement):
        answer = self.session.query(statement, "TabSeparated").bytes().decode()
        return [line.split("\t") for line in answer.splitlines()]

    def take(self, path, insert):
        self.session.query(insert.replace("{file}", path))

    def close(self):
        self.session.close()


ENGINES = {"sqlite": Sqlite, "duckdb": DuckDb, "clickhouse": ClickHouse}


def text(cell):
    return "\\N" if cell is None else str(cell)


def tell(**members):
    print(json.dumps(members), flush=True)


def own_cpu_and_peak():
    with open("/proc/self/status", encoding="utf-8") as status:
        peak = next(line for line in status if line.startswith("VmHWM:"))
    return {"cpu_seconds": time.process_time(), "peak_bytes": int(peak.split()[1]) * 1024}


def load(source):
    wanted = json.loads(source.readline())
    engine = ENGINES[wanted["engine"]](wanted["folder"])
    for statement in wanted["create"]:
        engine.run(statement)
    rest = b""
    taken = 0
    while True:
        block = source.read(CHUNK_BYTES)
        whole, newline, after = (rest + block).rpartition(b"\n")
        rest = after
        if whole:
            path = os.path.join(wanted["folder"], "chunk.tsv")
            with open(path, "wb") as chunk:
                chunk.write(whole + newline)
            engine.take(path, wanted["insert"])
            os.remove(path)
            taken += whole.count(b"\n") + 1
            tell(taken=taken)
        if not block:
            break
    for statement in wanted["finish"]:
        tell(doing=statement)
        engine.run(statement)
    engine.close()
    tell(done=True, version=engine.version, **own_cpu_and_peak())


def ask(source):
    wanted = json.loads(source.readline())
    engine = ENGINES[wanted["engine"]](wanted["folder"])
    for statement in wanted["begin"]:
        engine.run(statement)
    tell(ready=True)
    for line in source:
        start = time.perf_counter()
        answers = [engine.run(statement) for statement in json.loads(line)]
        tell(ms=(time.perf_counter() - start) * 1000, answers=answers, **own_cpu_and_peak())
    engine.close()


if __name__ == "__main__":
    {"load": load, "ask": ask}[sys.argv[1]](sys.stdin.buffer)
