// Trains in the page, in a worker and on threads, and posts the results to the server that the page
// comes from.
import { attempt } from "./attempt.js";
import { compareThreads } from "./threads.js";

const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const answer = new Promise((resolve) => {
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => resolve({ error: `the worker did not start: ${message}` });
});
const results = { page: attempt(), worker: await answer, threads: await compareThreads() };
const body = JSON.stringify(results);
await fetch("/report", { method: "POST", body });
