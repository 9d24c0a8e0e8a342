// A project as a user of the package has one: the packed tarball, a page, a bundler without any setting for onhand.
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const tarball = join(root, "pkg", readdirSync(join(root, "pkg")).find((name) => /^onhand-.*\.tgz$/.test(name)));

/** Makes the project and installs the package into it. `remove` takes it away. */
export async function newProject() {
  const path = await mkdtemp(join(tmpdir(), "onhand-project-"));
  await writeFile(join(path, "package.json"), '{ "name": "a-chat", "private": true, "type": "module" }');
  execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", "--loglevel=error", tarball], { cwd: path, stdio: "inherit" });
  await symlink(join(root, "www/node_modules/vite"), join(path, "node_modules/vite"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Bundles a page with one script into the project's `dist`. */
export async function bundle({ path }, script) {
  await writeFile(join(path, "index.html"), '<!doctype html><script type="module" src="/main.js"></script>');
  await writeFile(join(path, "main.js"), script);
  execFileSync(process.execPath, [join(root, "www/node_modules/vite/bin/vite.js"), "build", "--logLevel", "warn"], { cwd: path, stdio: "inherit" });
  return join(path, "dist");
}
