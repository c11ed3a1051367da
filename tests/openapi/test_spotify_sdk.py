"""The Spotify sandbox, walked by Spotify's own SDK for TypeScript: it is like Spotify to more clients than ours."""

import shutil
import subprocess
from pathlib import Path

from accounts.spotify.provider import SCOPES
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.sandbox.state import Grant
from accounts.spotify.tests.worlds import song, world
from tests.openapi.tools import HERE, install


def test_spotifys_own_sdk_walks_the_sandbox(tmp_path: Path) -> None:
    folder = install()
    shutil.copy(HERE / "sandbox.mjs", tmp_path / "sandbox.mjs")
    (tmp_path / "node_modules").symlink_to(folder / "node_modules")
    node = shutil.which("node")
    assert node is not None
    with SandboxServer(world()) as server:
        scope = " ".join([*SCOPES, "user-library-modify"])
        token = server.world.add_tokens(Grant("ada", scope, 0.0, server.world.client_id))["access_token"]
        command = [node, "sandbox.mjs", f"{server.url}/v1/", token, song(7).id, song(7).isrc]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip() == "walked the sandbox in 48 calls"
