// Tells from a file's first bytes that it is certainly no audio, before any of it is sent.
// The server looks closer later, and has the last word.
const EXPORT = "Export the episode as MP3, M4A, WAV or FLAC and choose that.";
const picture = "This is a picture, not audio. Choose the audio here; the cover has a field of its own.";
const archive = "This is an archive, not audio. Unpack it and choose the audio file inside.";
const playlist = "This is a playlist: it points to audio elsewhere. Choose the audio file itself.";
const other = (what) => `This is ${what}, not audio. ${EXPORT}`;
const video = `This is a video. Export only its sound as MP3, M4A, WAV or FLAC and choose that.`;

const SIGNATURES = [
  ["\xff\xd8\xff", picture], ["\x89PNG", picture], ["GIF8", picture], ["8BPS", picture],
  ["PK\x03\x04", archive], ["Rar!", archive], ["7z\xbc\xaf", archive], ["\x1f\x8b", archive],
  ["%PDF-", other("a PDF document")], ["\xd0\xcf\x11\xe0", other("an Office document")],
  ["SQLite format 3", other("a project file")], ["MZ", other("a program")], ["\x7fELF", other("a program")],
  ["\x1aE\xdf\xa3", video],
];
const TEXTS = [
  [/^#extm3u/i, playlist], [/^\[playlist\]/i, playlist], [/^<playlist[\s>]/i, playlist],
  [/^(<!doctype )?<?html[\s>]/i, other("a web page")], [/^<\?xml/i, other("a document")],
  [/^<(rss|feed)[\s>]/i, other("a feed")], [/^WEBVTT/, other("a transcript")],
];

const read = async (blob) => String.fromCharCode(...new Uint8Array(await blob.arrayBuffer()));

/** A sentence why this file can't be an episode's audio, or null when it may be. */
export async function refusal(file, largestBytes, write) {
  if (file.size === 0) return "This file is empty. Export the audio again and choose the new file.";
  if (file.size > largestBytes) {
    return `This file has ${write(file.size)}; at most ${write(largestBytes)} are accepted. ` +
      "An hour of MP3 at 128 kbit/s takes about 58 MB.";
  }
  const head = await read(file.slice(0, 512));
  if (head.slice(0, 4) === "RIFF" && head.slice(8, 12) === "AVI ") return video;
  if (head.slice(0, 4) === "RIFF" && head.slice(8, 12) === "WEBP") return picture;
  const known = SIGNATURES.find(([mark]) => head.startsWith(mark));
  if (known) return known[1];
  const text = head.replace(/^\xef\xbb\xbf/, "").trimStart();
  return TEXTS.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}
