// QuickJS for `onhand/sandbox`, copied out of its npm packages into ours: files of the page's own origin that need no bundler,
// and no package to install beside this one.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const CORE = "quickjs-emscripten-core";
const BUILD = "@jitl/quickjs-wasmfile-release-sync";
const TYPES = "@jitl/quickjs-ffi-types";

/** What each module is copied from. The core's is a chunk with everything but its asynchronous part, which the sandbox does not use. */
const MODULES = {
  "core.js": `${CORE}/dist/chunk-V2S4ZYJR.mjs`,
  "constants.js": `${TYPES}/dist/index.mjs`,
  "ffi.js": `${BUILD}/dist/ffi.mjs`,
  "loader.js": `${BUILD}/dist/emscripten-module.browser.mjs`,
};
const WASM = "emscripten-module.wasm";

/** What the sandbox uses of them, for the compiler. */
const DECLARATIONS = {
  "core.d.ts": `export { QuickJSWASMModule } from "${CORE}";\n`,
  "ffi.d.ts": `export { QuickJSFFI } from "${BUILD}/ffi";\n`,
  "loader.d.ts": `export { default } from "${BUILD}/emscripten-module";\n`,
};

/** Writes the modules with their wasm and licence into `dist/quickjs`, and their declarations into `src/quickjs`. */
export function copyQuickJs(pkg) {
  const [out, declarations] = [join(pkg, "dist/quickjs"), join(pkg, "src/quickjs")];
  for (const folder of [out, declarations]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  const installed = (path) => join(pkg, "node_modules", path);
  for (const [name, from] of Object.entries(MODULES)) {
    // A page without a bundler can not resolve a package's name.
    const text = readFileSync(installed(from), "utf8").replaceAll(`from"${TYPES}"`, 'from"./constants.js"').replace(/\n\/\/# sourceMappingURL=.*\n?$/, "\n");
    const left = /\b(?:from|import)\s*\(?\s*["'](?!\.\/)[^"']+/.exec(text);
    if (left) throw new Error(`${from} imports what is not copied: ${left[0]}`);
    writeFileSync(join(out, name), text);
  }
  // The loader names it, and so the name stays.
  cpSync(installed(`${BUILD}/dist/${WASM}`), join(out, WASM));
  cpSync(installed(`${BUILD}/LICENSE`), join(out, "LICENSE"));
  for (const [name, text] of Object.entries(DECLARATIONS)) writeFileSync(join(declarations, name), text);
}
