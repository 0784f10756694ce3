// Walks a TUF repository with tuf-js: node walk.js METADATA_URL TARGETS_URL FOLDER [TARGET...]
// FOLDER/metadata holds root.json to begin with. Prints what it verified as JSON; exits 1 with the reason otherwise.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { Updater } = require("tuf-js");

async function main([metadataBaseUrl, targetBaseUrl, folder, ...wanted]) {
  const metadataDir = path.join(folder, "metadata");
  const targetDir = path.join(folder, "targets");
  fs.mkdirSync(targetDir, { recursive: true });
  const config = { fetchRetries: 0, fetchTimeout: 10_000 };
  const updater = new Updater({ metadataDir, metadataBaseUrl, targetDir, targetBaseUrl, config });
  await updater.refresh();
  const targets = {};
  for (const name of wanted) {
    const found = await updater.getTargetInfo(name);
    if (found === undefined) {
      targets[name] = null;
      continue;
    }
    const file = path.join(targetDir, found.hashes.sha256);
    await updater.downloadTarget(found, file);
    targets[name] = { length: found.length, sha256: found.hashes.sha256, custom: found.unrecognizedFields.custom ?? null };
  }
  const versions = {};
  for (const name of fs.readdirSync(metadataDir).sort()) {
    const role = path.basename(name, ".json");
    versions[decodeURIComponent(role)] = JSON.parse(fs.readFileSync(path.join(metadataDir, name), "utf8")).signed.version;
  }
  process.stdout.write(JSON.stringify({ versions, targets }) + "\n");
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.name}: ${error.message}\n`);
  process.exit(1);
});
