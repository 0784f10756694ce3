// Checks the feed without any of our software: the signatures with tuf-js, a TUF implementation by others, and the
// digest by counting it here over the entries, as docs/feed.md says how.
//
//     npm install tuf-js
//     node check-feed.js SERVER ROOT_FILE TOKEN_FILE
//
// Prints for each kind of entries the edition, how many entries it has, and the digest; exits with 1 when something is
// not as it was signed. Hold what it prints against `rahdari agent status --json`.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const os = require("node:os");
const path = require("node:path");
const readline = require("node:readline");
const zlib = require("node:zlib");
const { Updater } = require("tuf-js");

const ROLES = ["feed-static", "feed-dynamic", "feed-canary"];
const LANES = 1024;

// tuf-js cannot show a token; this passes its questions on with one, from this machine alone.
function relay(server, token) {
  const base = new URL(server);
  const client = base.protocol === "https:" ? https : http;
  const relaying = http.createServer((asked, answer) => {
    const options = { headers: { authorization: `Bearer ${token}` } };
    client
      .get(new URL(`/feed${asked.url}`, base), options, (response) => {
        answer.writeHead(response.statusCode);
        response.pipe(answer);
      })
      .on("error", (error) => answer.destroy(error));
  });
  return new Promise((resolve) => relaying.listen(0, "127.0.0.1", () => resolve(relaying)));
}

function canonical(value) {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

function digestOf(entries) {
  const sums = new Uint16Array(LANES);
  for (const entry of entries) {
    const stretched = crypto.createHash("shake128", { outputLength: 2 * LANES }).update(entry).digest();
    for (let lane = 0; lane < LANES; lane++) sums[lane] += stretched.readUInt16LE(2 * lane);
  }
  const bytes = Buffer.alloc(2 * LANES);
  sums.forEach((sum, lane) => bytes.writeUInt16LE(sum, 2 * lane));
  return crypto.createHash("sha256").update(bytes).digest("hex");
}

// A snapshot or a delta: how each entry that it names stands at its end.
async function apply(file, entries) {
  const lines = readline.createInterface({ input: fs.createReadStream(file).pipe(zlib.createGunzip()) });
  let first = true;
  for await (const line of lines) {
    const said = JSON.parse(line);
    if (canonical(said) !== line) throw new Error(`${path.basename(file)}: a line is not written canonically`);
    if (!first && said.op === "remove") entries.delete(said.entry.id);
    else if (!first) entries.set(said.entry.id, canonical(said.entry));
    first = false;
  }
}

// From the newest snapshot by deltas to the head; any delta that begins at or before where we stand will do.
function wayTo(head, targets) {
  const files = Object.entries(targets).map(([name, target]) => ({ name, ...target.custom }));
  const ours = files.filter((file) => file.session === head.session);
  const snapshots = ours.filter((file) => file.kind === "snapshot").sort((one, other) => other.to - one.to);
  if (snapshots.length === 0) throw new Error("no snapshot is listed");
  const way = [snapshots[0]];
  for (let at = snapshots[0].to; at < head.sequence; at = way.at(-1).to) {
    const next = ours
      .filter((file) => file.kind === "delta" && file.from <= at && file.to > at)
      .sort((one, other) => other.to - one.to)[0];
    if (next === undefined) throw new Error(`no delta leads on from edition ${at}`);
    way.push(next);
  }
  return way;
}

async function main([server, rootFile, tokenFile]) {
  const root = fs.readFileSync(rootFile);
  console.log(`root           SHA-256 ${crypto.createHash("sha256").update(root).digest("hex")}`);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "check-feed-"));
  const relaying = await relay(server, fs.readFileSync(tokenFile, "utf8").trim());
  try {
    const [metadataDir, targetDir] = ["metadata", "targets"].map((name) => path.join(folder, name));
    fs.mkdirSync(metadataDir);
    fs.mkdirSync(targetDir);
    fs.writeFileSync(path.join(metadataDir, "root.json"), root);
    const base = `http://127.0.0.1:${relaying.address().port}`;
    const [metadataBaseUrl, targetBaseUrl] = [`${base}/metadata`, `${base}/targets`];
    const config = { fetchRetries: 1, fetchTimeout: 60_000 };
    const updater = new Updater({ metadataDir, metadataBaseUrl, targetDir, targetBaseUrl, config });
    await updater.refresh();
    let wrong = false;
    for (const role of ROLES) {
      await updater.getTargetInfo(`${role}/-/-`); // loads and verifies the role
      const { signed } = JSON.parse(fs.readFileSync(path.join(metadataDir, `${role}.json`), "utf8"));
      const entries = new Map();
      for (const file of wayTo(signed.head, signed.targets)) {
        const place = path.join(targetDir, path.basename(file.name));
        await updater.downloadTarget(await updater.getTargetInfo(file.name), place);
        await apply(place, entries);
        fs.unlinkSync(place);
      }
      const digest = digestOf(entries.values());
      const same = digest === signed.head.digest && entries.size === signed.head.entries;
      wrong ||= !same;
      const { sequence } = signed.head;
      console.log(`${role.padEnd(14)} edition ${sequence}, ${entries.size} entries, digest ${digest}${same ? "" : "  NOT AS SIGNED"}`);
    }
    if (wrong) process.exitCode = 1;
  } finally {
    relaying.close();
    fs.rmSync(folder, { recursive: true });
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
});
