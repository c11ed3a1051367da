"""A listener's life, told with the generated Python client alone. Run by `test_clients.py`: SITE, then two song ids."""

import io
import sys
from typing import Any

import httpx
from earworm_client import AuthenticatedClient, Client, errors, models, types
from earworm_client.api.account import account_delete, account_export, account_export_zip, login, register, token_create
from earworm_client.api.history import history_add, history_csv, history_import_start, history_list
from earworm_client.api.playback import playback_get, playback_next, playback_pause, queue_get, queue_replace
from earworm_client.api.playlists import playlist_create, playlist_file, playlist_songs_add
from earworm_client.api.ratings import feedback_get, feedback_give
from earworm_client.api.recommendations import recommendations_get
from earworm_client.api.songs import songs_search

PASSWORD = "three blind mice see how"


def ok(response: types.Response[Any], status: int = 200) -> Any:
    if response.status_code != status or isinstance(response.parsed, models.Problem):
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return response.parsed


def main(site: str, first: int, second: int) -> None:
    # One cookie jar: the session of log-in.
    visitor = Client(base_url=site).set_httpx_client(httpx.Client(base_url=site))
    ok(
        register.sync_detailed(
            client=visitor, body=models.RegisterIn(username="grace", email="grace@example.org", password=PASSWORD)
        ),
        201,
    )
    session = ok(login.sync_detailed(client=visitor, body=models.LoginIn(login="grace", password=PASSWORD)))
    jar = visitor.get_httpx_client()
    jar.headers["X-CSRFToken"] = session.csrf_token
    browser = AuthenticatedClient(base_url=site, token="").set_httpx_client(jar)
    token = ok(
        token_create.sync_detailed(
            client=browser, body=models.TokenIn(name="life", scope=models.TokenScope.WRITE, days=1)
        ),
        201,
    )
    program = AuthenticatedClient(base_url=site, token=token.key)

    assert ok(songs_search.sync_detailed(client=program, q="song")).items
    assert ok(recommendations_get.sync_detailed(client=program, k=3)).items
    for value in (models.FeedbackValue.LIKE, models.FeedbackValue.DISLIKE, models.FeedbackValue.CLEAR):
        ok(feedback_give.sync_detailed(client=program, body=models.FeedbackIn(song_id=first, value=value)))
    assert ok(feedback_get.sync_detailed(first, client=program)).value is None

    body = models.PlaylistIn(name="Mine", songs=[first])
    made = [ok(playlist_create.sync_detailed(client=program, body=body, idempotency_key="1"), 201) for _ in range(2)]
    assert made[0].id == made[1].id
    added = ok(playlist_songs_add.sync_detailed(made[0].id, client=program, body=models.SongsIn(songs=[second, 99999])))
    assert (added.song_count, added.unknown_songs) == (2, [99999])
    file = ok(playlist_file.sync_detailed(made[0].id, client=program, kind=models.PlaylistFileKind.M3U))
    assert file.payload.read().startswith(b"#EXTM3U")

    ok(queue_replace.sync_detailed(client=program, body=models.ListIn(songs=[first, second])))
    assert [item.song.id for item in ok(queue_get.sync_detailed(client=program)).items] == [second]
    assert ok(playback_next.sync_detailed(client=program)).current.song.id == second
    assert ok(playback_pause.sync_detailed(client=program)).is_playing is False
    assert ok(playback_get.sync_detailed(client=program)).is_playing is False

    ok(history_add.sync_detailed(client=program, body=models.PlayIn(song_id=first)), 201)
    assert [play.song.id for play in ok(history_list.sync_detailed(client=program)).items] == [first]
    assert len(ok(history_csv.sync_detailed(client=program)).payload.read().splitlines()) == 2
    content = io.BytesIO(b'[{"ts": "2023-01-01T10:00:00Z", "ms_played": 200000}]')
    upload = models.HistoryImportStartMultiPartBodyParams(
        file=types.File(payload=content, file_name="history.json"), wants_own_songs=False
    )
    assert ok(history_import_start.sync_detailed(client=program, body=upload), 202).name == "history.json"

    assert ok(account_export.sync_detailed(client=program)).additional_properties
    assert ok(account_export_zip.sync_detailed(client=program)).payload.read().startswith(b"PK")
    response = account_delete.sync_detailed(client=browser, body=models.DeleteIn(password=PASSWORD))
    assert response.status_code == 204, response.content
    print("a whole life")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
