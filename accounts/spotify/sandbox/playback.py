"""The sandbox's calls about what plays: commands that a device refuses, as the real ones do, among them."""

from collections.abc import Callable
from typing import Any

from accounts.spotify.sandbox import responses
from accounts.spotify.sandbox.call import Answer, ApiError, Call

Change = Callable[[Call], None]
_RESTRICTED = "Player command failed: Restriction violated"


def player(call: Call) -> Answer:
    """Answer what plays on the active device."""
    call.need("user-read-playback-state")
    state = responses.player_state(call.listener, call.world, call.base)
    return (204, {}, "") if state is None else (200, {}, state)


def currently_playing(call: Call) -> Answer:
    """Answer the song that plays."""
    call.need("user-read-playback-state", "user-read-currently-playing")
    state = responses.player_state(call.listener, call.world, call.base)
    return (204, {}, "") if state is None else (200, {}, state)


def devices(call: Call) -> Answer:
    """Answer the listener's devices."""
    call.need("user-read-playback-state")
    return 200, {}, {"devices": responses.devices(call.listener)}


def queue(call: Call) -> Answer:
    """Answer what plays and what follows."""
    call.need("user-read-playback-state")
    player_ = call.listener.player
    current = call.track(player_.song_id) if player_.song_id else None
    return 200, {}, {"currently_playing": current, "queue": [call.track(pk) for pk in player_.queue]}


def command(change: Change, *, needs_device: bool = True) -> Callable[[Call], Answer]:
    """Return what answers a command that makes ``change``."""

    def handle(call: Call) -> Answer:
        call.need("user-modify-playback-state")
        if not call.listener.is_premium:
            raise ApiError(403, "Player command failed: Premium required", "PREMIUM_REQUIRED")
        device = _device(call)
        with call.world.lock:
            if device:
                call.listener.player.device_id = device["id"]
            if needs_device and call.listener.player.device_id is None:
                raise ApiError(404, "Player command failed: No active device found", "NO_ACTIVE_DEVICE")
            change(call)
        return 204, {}, ""

    return handle


def _device(call: Call) -> dict[str, Any] | None:
    """Return the device that the query names; one that has vanished or takes no commands is refused."""
    named = call.query.get("device_id")
    if named is None:
        return None
    device = next((row for row in call.listener.devices if row["id"] == named), None)
    if device is None:
        raise ApiError(404, "Device not found")
    if device.get("is_restricted"):
        raise ApiError(403, "Player command failed: Device is not controllable", "DEVICE_NOT_CONTROLLABLE")
    return device


def play(call: Call) -> None:
    """Start a song, or go on; what plays cannot go on."""
    player_, body = call.listener.player, call.object_body()
    uris = body.get("uris")
    if not uris and player_.is_playing:
        raise ApiError(403, _RESTRICTED, "UNKNOWN")
    if uris:
        pk = str(uris[0]).removeprefix("spotify:track:")
        if pk not in call.world.songs:
            raise ApiError(400, "Invalid track uri")
        if pk in call.listener.unplayable:
            raise ApiError(403, _RESTRICTED, "UNKNOWN")
        player_.song_id = pk
        player_.queue = [str(uri).removeprefix("spotify:track:") for uri in uris[1:]]
        player_.go_to(int(body.get("position_ms", 0)))
    player_.run()


def pause(call: Call) -> None:
    """Pause; what does not play cannot be paused."""
    if not call.listener.player.is_playing:
        raise ApiError(403, _RESTRICTED, "UNKNOWN")
    call.listener.player.stop()


def seek(call: Call) -> None:
    """Go to a place in the song."""
    call.listener.player.go_to(call.count("position_ms", 0, 0, 10**9))


def skip(call: Call) -> None:
    """Go on to the next song of the queue."""
    player_ = call.listener.player
    if not player_.queue:
        raise ApiError(403, _RESTRICTED, "NO_NEXT_TRACK")
    player_.song_id = player_.queue.pop(0)
    player_.go_to(0)
    player_.run()


def back(call: Call) -> None:
    """Go back to the start of the song."""
    call.listener.player.go_to(0)


def add_to_queue(call: Call) -> None:
    """Let a song follow."""
    pk = call.query.get("uri", "").removeprefix("spotify:track:")
    if pk not in call.world.songs:
        raise ApiError(400, "Invalid track uri")
    call.listener.player.queue.append(pk)


def set_volume(call: Call) -> None:
    """Take a volume; nobody hears it."""
    call.count("volume_percent", 101, 0, 100)


def set_mode(call: Call) -> None:
    """Take a way of repeating or shuffling; neither does anything here."""
    if call.query.get("state") not in ("track", "context", "off", "true", "false"):
        raise ApiError(400, "Invalid state")


def transfer(call: Call) -> None:
    """Make another device the active one."""
    ids = call.object_body().get("device_ids")
    known = {device["id"] for device in call.listener.devices}
    if not isinstance(ids, list) or len(ids) != 1 or ids[0] not in known:
        raise ApiError(404, "Device not found")
    call.listener.player.device_id = ids[0]
    if call.object_body().get("play"):
        call.listener.player.run()
