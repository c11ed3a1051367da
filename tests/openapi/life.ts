// A listener's life, told with the generated TypeScript types alone. Run by `test_clients.py`: SITE, then two song ids.
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const PASSWORD = "three blind mice see how";
const [site, first, second] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])];

function ok<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (!answer.response.ok) {
    throw new Error(`${answer.response.url} ${answer.response.status} ${JSON.stringify(answer.error)}`);
  }
  return answer.data as T;
}

function check(is: boolean, what: string): void {
  if (!is) {
    throw new Error(what);
  }
}

const visitor = createClient<paths>({ baseUrl: site });
const body = { username: "mary", email: "mary@example.org", password: PASSWORD, region: "" };
ok(await visitor.POST("/api/auth/register", { body }));
const entered = await visitor.POST("/api/auth/login", { body: { login: "mary", password: PASSWORD, remember: false } });
const cookies = entered.response.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
const headers = { Cookie: cookies, "X-CSRFToken": ok(entered).csrf_token };
const browser = createClient<paths>({ baseUrl: site, headers });
const token = ok(await browser.POST("/api/user/tokens", { body: { name: "life", scope: "write", days: 1 } }));
const program = createClient<paths>({ baseUrl: site, headers: { Authorization: `Bearer ${token.key}` } });

check(ok(await program.GET("/api/songs/search", { params: { query: { q: "song" } } })).items.length > 0, "search");
check(ok(await program.GET("/api/recommendations", { params: { query: { k: 3 } } })).items.length > 0, "recommend");
for (const value of ["like", "dislike", "clear"] as const) {
  ok(await program.POST("/api/feedback", { body: { song_id: first, value } }));
}
const rated = await program.GET("/api/feedback/{song_id}", { params: { path: { song_id: first } } });
check(ok(rated).value === null, "undo");

const once = { header: { "Idempotency-Key": "1" } };
const made = ok(await program.POST("/api/playlists", { params: once, body: { name: "Mine", songs: [first] } }));
const again = ok(await program.POST("/api/playlists", { params: once, body: { name: "Mine", songs: [first] } }));
check(made.id === again.id, "once");
const path = { playlist_id: made.id };
const added = await program.POST("/api/playlists/{playlist_id}/songs", { params: { path }, body: { songs: [second, 99999] } });
check(ok(added).song_count === 2 && ok(added).unknown_songs?.[0] === 99999, "unknown songs");
const file = await program.GET("/api/playlists/{playlist_id}/file", {
  params: { path, query: { kind: "m3u" } }, parseAs: "text",
});
check(ok(file).startsWith("#EXTM3U"), "playlist file");

ok(await program.PUT("/api/playback/queue", { body: { songs: [first, second] } }));
check(ok(await program.GET("/api/playback/queue")).items[0]?.song.id === second, "queue");
check(ok(await program.POST("/api/playback/next")).current?.song.id === second, "next");
check(ok(await program.POST("/api/playback/pause")).is_playing === false, "pause");

ok(await program.POST("/api/user/history", { body: { song_id: first } }));
check(ok(await program.GET("/api/user/history")).items[0]?.song.id === first, "history");
check(ok(await program.GET("/api/user/history.csv", { parseAs: "text" })).trim().split("\n").length === 2, "csv");
const upload = ok(await program.POST("/api/user/history/imports", {
  body: { file: "", wants_own_songs: false },
  bodySerializer: () => {
    const form = new FormData();
    form.append("file", new Blob(['[{"ts": "2023-01-01T10:00:00Z", "ms_played": 200000}]']), "history.json");
    form.append("wants_own_songs", "false");
    return form;
  },
}));
check(upload.name === "history.json", "import");

ok(await program.GET("/api/user/export"));
const zip = await program.GET("/api/user/export.zip", { parseAs: "arrayBuffer" });
check(ok(zip).byteLength > 100, "export");
const deleted = await browser.DELETE("/api/user", { body: { password: PASSWORD } });
check(deleted.response.status === 204, "delete");
console.log("a whole life");
