#!/usr/bin/env python3
"""The method that reeld replaces: one ffprobe a file, one after the other, one commit a row.

usage: one_by_one.py LIST    LIST holds one path a line; prints files per second.
"""
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        paths = file.read().splitlines()
    with tempfile.TemporaryDirectory() as directory:
        database = sqlite3.connect(os.path.join(directory, "videos.db"))
        database.execute("CREATE TABLE videos (path TEXT PRIMARY KEY, size INTEGER, streams TEXT, format TEXT)")
        start = time.monotonic()
        for path in paths:
            output = subprocess.run(
                ["ffprobe", "-v", "error", "-print_format", "json", "-show_format", "-show_streams", path],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
            found = json.loads(output or "{}")
            database.execute("INSERT INTO videos VALUES (?, ?, ?, ?)", (
                path, os.stat(path).st_size, json.dumps(found.get("streams")), json.dumps(found.get("format"))))
            database.commit()
        print(len(paths) / (time.monotonic() - start))


if __name__ == "__main__":
    main()
