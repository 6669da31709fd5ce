/// <reference types="node" />
// What a thread of a pool runs in Node.
import { isMainThread, workerData } from "node:worker_threads";
import { type Assignment, serve } from "./serve.ts";

if (!isMainThread) serve(workerData as Assignment);
