"""nginx as a file server, when there is one on the PATH: what sending from the kernel reaches."""

import getpass
import os
import shutil
from pathlib import Path


def find_nginx() -> str | None:
    """The program, also where only root's PATH has it."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def write_config(folder: Path, *, port: int, files: Path) -> Path:
    """A configuration for these files, with everything that nginx writes in `folder`."""
    # Started by root, it would give its worker to an account that can't enter our folder.
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    temporary = "\n".join(
        f"    {kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / "nginx.conf"
    # With tcp_nopush on, ranges on loopback fall to less than half: that would flatter us.
    config.write_text(f"""\
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
{temporary}
    access_log off;
    default_type audio/mpeg;
    sendfile on;
    tcp_nopush off;
    tcp_nodelay on;
    keepalive_requests 10000000;
    server {{
        listen 127.0.0.1:{port};
        root {files};
    }}
}}
""")
    return config


def command(program: str, config: Path) -> list[str]:
    """How it runs in the foreground and writes nowhere but into the folder of its config."""
    return [program, "-p", str(config.parent), "-e", str(config.parent / "error.log"), "-c",
            str(config)]  # fmt: skip
