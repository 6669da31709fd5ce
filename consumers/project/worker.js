import { attempt } from "./attempt.js";

postMessage(attempt());
