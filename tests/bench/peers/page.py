#!/usr/bin/python3
"""A page of the catalogue as a FastAPI route would serve it, from the tables that catalogue_peers.js makes.

usage: page.py DATABASE
"""
import base64
import json
import socket
import sqlite3
import sys
from typing import Optional

import uvicorn
from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import JSONResponse

database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, check_same_thread=False)
members = database.execute("SELECT name, is_json FROM members ORDER BY place").fetchall()
names = [name for name, _ in members]
nested = [name for name, is_json in members if is_json]
columns = ", ".join(f'"{name}"' for name in names)
by_name = f"SELECT name_key, number, {columns} FROM videos ORDER BY name_key, number LIMIT ?"
by_name_after = f"SELECT name_key, number, {columns} FROM videos WHERE (name_key, number) > (?, ?) ORDER BY name_key, number LIMIT ?"
of_folder = f"SELECT name_key, number, {columns} FROM videos WHERE folder = ? ORDER BY name_key, number LIMIT ?"
event_id = database.execute("SELECT event_id FROM facts").fetchone()[0]


def page(limit: int, cursor: Optional[str], folder: Optional[str]) -> dict:
    if folder is not None:
        total = database.execute("SELECT count(*) FROM videos WHERE folder = ?", (folder,)).fetchone()[0]
        rows = database.execute(of_folder, (folder, limit)).fetchall()
    else:
        # Kept by whoever writes: counting a million rows for each page would be no comparison.
        total = database.execute("SELECT videos FROM facts").fetchone()[0]
        if cursor is None:
            rows = database.execute(by_name, (limit,)).fetchall()
        else:
            try:
                key, number = json.loads(base64.urlsafe_b64decode(cursor))
            except ValueError as error:
                raise HTTPException(400, "the cursor is not one of this query's") from error
            rows = database.execute(by_name_after, (key, number, limit)).fetchall()
    videos = []
    for row in rows:
        video = dict(zip(names, row[2:]))
        for name in nested:
            video[name] = json.loads(video[name])
        videos.append(video)
    last = None
    if len(rows) == limit:
        last = base64.urlsafe_b64encode(json.dumps(rows[-1][:2]).encode()).decode()
    return {"videos": videos, "total": total, "limit": limit, "offset": 0, "next_cursor": last, "event_id": event_id}


app = FastAPI()


@app.get("/videos")
async def direct(limit: int = Query(50, ge=1, le=1000), cursor: Optional[str] = None, folder: Optional[str] = None):
    """The fastest that FastAPI has: it does not look at what is answered."""
    return JSONResponse(page(limit, cursor, folder))


@app.get("/usual/videos")
async def usual(limit: int = Query(50, ge=1, le=1000), cursor: Optional[str] = None, folder: Optional[str] = None):
    """As its manual has it: a dictionary, which FastAPI encodes."""
    return page(limit, cursor, folder)


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print(f"ready at http://127.0.0.1:{sockets[0].getsockname()[1]}/", flush=True)


if __name__ == "__main__":
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    Server(uvicorn.Config(app, loop="uvloop", http="httptools", log_level="warning", access_log=False)).run([listening])
