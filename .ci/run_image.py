"""Run an image's own command, then its health check, in a root that cannot be written to: what `docker run` would do.

``python3 run_image.py IMAGE.json ROOT DATA PORT``, as root: namespaces and a chroot stand in for a container engine.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

_PREPARE = """
mount --bind "{root}" "{root}"
mount --rbind /dev "{root}/dev"
mount -t proc proc "{root}/proc"
mount --bind "{data}" "{root}/data"
mount -t tmpfs tmpfs "{root}/tmp"
chmod 1777 "{root}/tmp"
mount -o remount,bind,ro "{root}"
exec chroot --userspec={user} "{root}" env -i {environment} sh -c {command}
"""


def command_of(config: dict, root: Path, data: Path, line: str) -> list[str]:
    """Return what runs ``line`` as the image's user with the image's environment, in namespaces of its own."""
    entry = re.search(
        rf"^{re.escape(config['User'])}:[^:]*:(\d+):(\d+)", (root / "etc/passwd").read_text(), re.MULTILINE
    )
    environment = " ".join(shlex.quote(pair) for pair in config["Env"])
    line = f"cd {shlex.quote(config['WorkingDir'])} && {line}"
    script = _PREPARE.format(
        root=root, data=data, user=f"{entry[1]}:{entry[2]}", environment=environment, command=shlex.quote(line)
    )
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", script]


def end(unshare: subprocess.Popen[bytes]) -> None:
    """End the first process of the namespaces, and with it all that are in them: unshare itself passes no signal on."""
    for child in Path(f"/proc/{unshare.pid}/task/{unshare.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)


def main() -> int:
    """Start the site, wait for its health check, say what it found, and end the site."""
    config = json.loads(Path(sys.argv[1]).read_text())["Docker"]["config"]
    root, data, port = Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    start = (
        shlex.join([*config["Entrypoint"], *config["Cmd"]]).replace(":8000", f":{port}").replace("0.0.0.0", "127.0.0.1")
    )
    check = config["Healthcheck"]["Test"]
    check = shlex.join(check[1:]) if check[0] == "CMD" else check[1]
    check = check.replace(":8000", f":{port}")
    print("user:", config["User"], "| volumes:", *config["Volumes"], "| start:", start)
    began = time.monotonic()
    with subprocess.Popen(command_of(config, root, data, start)) as site:
        try:
            while site.poll() is None and time.monotonic() - began < 300:
                done = subprocess.run(
                    command_of(config, root, data, check), capture_output=True, text=True, check=False
                )
                if done.returncode == 0:
                    print(f"health check after {time.monotonic() - began:.1f} s: {done.stdout.strip()}")
                    print("kept in /data:", *sorted(path.name for path in data.iterdir()))
                    tried = "touch /usr/no /venv/no /data/yes; rm /data/yes; earworm doctor"
                    subprocess.run(command_of(config, root, data, tried), check=False)
                    return 0
                time.sleep(1)
            print("the health check never passed", file=sys.stderr)
            return 1
        finally:
            end(site)


if __name__ == "__main__":
    sys.exit(main())
