// Walks the Spotify sandbox with Spotify's own TypeScript SDK: node sandbox.mjs WEB_API_URL TOKEN SONG_ID ISRC
import assert from "node:assert/strict";
import { SpotifyApi } from "@spotify/web-api-ts-sdk";

const [url, token, songId, isrc] = process.argv.slice(2);
SpotifyApi.rootUrl = url;
const answers = [];
const spotify = SpotifyApi.withAccessToken(
  "sandbox",
  { access_token: token, token_type: "Bearer", expires_in: 3600, refresh_token: "" },
  { afterRequest: (_address, _options, answer) => answers.push(answer.status) },
);

async function refused(call, status) {
  await assert.rejects(call);
  assert.equal(answers.at(-1), status);
}

// Who is there, and what they keep.
const me = await spotify.currentUser.profile();
assert.equal(me.display_name, "Ada");
const titles = [];
let page;
do {
  page = await spotify.currentUser.tracks.savedTracks(7, titles.length);
  titles.push(...page.items.map((row) => row.track.name));
} while (page.next);
assert.deepEqual(titles, Array.from({ length: 60 }, (_none, number) => `Song ${number + 20}`));
assert.equal((await spotify.currentUser.topItems("tracks", "medium_term", 50)).items.length, 50);
assert.ok((await spotify.currentUser.topItems("artists")).items.length > 0);
assert.deepEqual((await spotify.currentUser.followedArtists()).artists.items.map((artist) => artist.name), ["Artist 0", "Artist 1"]);
const recent = await spotify.player.getRecentlyPlayedTracks(20);
assert.deepEqual(await spotify.player.getRecentlyPlayedTracks(20), recent);
assert.ok((await spotify.currentUser.albums.savedAlbums()).items);

// What there is.
const song = await spotify.tracks.get(songId);
assert.equal(song.external_ids.isrc, isrc);
assert.equal((await spotify.search(`isrc:${isrc}`, ["track"])).tracks.items[0].id, songId);
const first = await spotify.search('artist:"Artist 3"', ["track"], undefined, 10);
const second = await spotify.search('artist:"Artist 3"', ["track"], undefined, 10, 10);
assert.match(first.tracks.next, /artist/);
const names = new Set([...first.tracks.items, ...second.tracks.items].flatMap((track) => track.artists.map((artist) => artist.name)));
assert.ok([...names].every((name) => ["Artist 3", "Guest"].includes(name)));
const artist = await spotify.artists.get(song.artists[0].id);
const albums = await spotify.artists.albums(artist.id);
const album = await spotify.albums.get(albums.items[0].id);
assert.ok((await spotify.albums.tracks(album.id)).items.length > 0);
assert.ok(Array.isArray((await spotify.currentUser.playlists.playlists()).items));

// What plays.
const [device] = (await spotify.player.getAvailableDevices()).devices;
assert.equal(await spotify.player.getPlaybackState(), null);
await spotify.player.transferPlayback([device.id], true);
await spotify.player.startResumePlayback(device.id, undefined, [song.uri]);
assert.equal((await spotify.player.getCurrentlyPlayingTrack()).item.id, songId);
await refused(() => spotify.player.startResumePlayback(device.id), 403); // "Restriction violated": it plays already.
await spotify.player.seekToPosition(1000);
await spotify.player.pausePlayback(device.id);
await refused(() => spotify.player.pausePlayback(device.id), 403);
await spotify.player.addItemToPlaybackQueue(song.uri);
assert.equal((await spotify.player.getUsersQueue()).queue[0].id, songId);
await spotify.player.skipToNext();
await spotify.player.setPlaybackVolume(30);
await spotify.player.setRepeatMode("off");
await spotify.player.togglePlaybackShuffle(false);
assert.equal((await spotify.player.getPlaybackState()).device.id, device.id);

// What Spotify closed to new apps, and a token that is none.
await refused(() => spotify.tracks.audioFeatures(songId), 403);
await refused(() => spotify.recommendations.get({ seed_tracks: [songId] }), 403);
await refused(() => spotify.artists.relatedArtists(artist.id), 403);
await refused(() => spotify.artists.topTracks(artist.id, "SE"), 403);
await refused(() => spotify.browse.getNewReleases(), 403);
await refused(() => spotify.currentUser.tracks.hasSavedTracks([songId]), 403);
await refused(() => spotify.playlists.createPlaylist(me.id, { name: "Old way" }), 403);
const stranger = SpotifyApi.withAccessToken("sandbox", { access_token: "none", token_type: "Bearer", expires_in: 3600, refresh_token: "" });
await assert.rejects(() => stranger.currentUser.profile(), /expired token/);
console.log(`walked the sandbox in ${answers.length} calls`);
