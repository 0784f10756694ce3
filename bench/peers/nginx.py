"""nginx as a bare server of files: what other peers are served by, and the limit of what a server here can do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import place

CONFIGURATION = """
daemon off;
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
user {user};
events {{ worker_connections 4096; }}
http {{
  log_format short '$request_uri $status $bytes_sent';
  access_log {log};
  client_body_temp_path {folder}/temporary; proxy_temp_path {folder}/temporary;
  fastcgi_temp_path {folder}/temporary; uwsgi_temp_path {folder}/temporary; scgi_temp_path {folder}/temporary;
  sendfile on; tcp_nopush on; keepalive_requests 100000000;
  types {{ application/json json; }}
  server {{
    listen {listen};
    {tls}
    root {root};
    {more}
  }}
}}
"""


@contextmanager
def serving(
    folder: Path,
    root: Path,
    *,
    listen: str,
    certificate: Path | None = None,
    key: Path | None = None,
    more: str = "",
    log: Path | None = None,
    workers: int = 1,
    quick: bool = False,
) -> Iterator[str]:
    """Serve a folder on an address; gives its URL. Raises place.NotHere."""
    place.need_programs({"nginx": "nginx-light"}, quick=quick)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "temporary").mkdir(exist_ok=True)
    tls = f"ssl_certificate {certificate}; ssl_certificate_key {key};" if certificate else ""
    user = place.ordinary_user()
    group = "nogroup" if user.pw_name == "nobody" else ""
    text = CONFIGURATION.format(
        folder=folder, root=root, listen=f"{listen}{' ssl' if certificate else ''}", tls=tls, more=more,
        workers=workers, log=f"{log} short" if log else "off", user=f"{user.pw_name} {group}".strip(),
    )  # fmt: skip
    (folder / "nginx.conf").write_text(text)
    output = folder / "out"
    host, _, port = listen.rpartition(":")
    command: list[str | Path] = [place.program_path("nginx") or "nginx", "-p", folder, "-c", folder / "nginx.conf"]
    with place.running(command, log=output) as process:
        place.wait_for("nginx", lambda: place.answers(int(port), host), lives=process, log=output)
        yield f"{'https' if certificate else 'http'}://{listen}".removesuffix(":443" if certificate else "")
