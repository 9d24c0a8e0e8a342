// A page with the sandbox, and a count of the workers that are alive.
import { codeTool, runCode } from "onhand/sandbox";

const workers = { alive: 0, most: 0, started: 0 };
globalThis.Worker = class extends Worker {
  constructor(...options) {
    super(...options);
    workers.started++;
    workers.most = Math.max(workers.most, ++workers.alive);
  }

  terminate() {
    workers.alive--;
    super.terminate();
  }
};

const failure = (error) => ({ name: error.name, code: error.code, message: error.message });
const settled = (promise) => promise.then((value) => ({ value }), (error) => ({ error: failure(error) }));

globalThis.sandbox = { codeTool, runCode, settled, workers };
