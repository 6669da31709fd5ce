// Trains in the page and in a worker, and posts the results of both to the server that the page
// comes from.
import { attempt } from "./attempt.js";

const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const answer = new Promise((resolve) => {
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => resolve({ error: `the worker did not start: ${message}` });
});
const body = JSON.stringify({ page: attempt(), worker: await answer });
await fetch("/report", { method: "POST", body });
