// node --conditions=@chronograd/source verification/special/make.ts: writes the table of special
// points that the site shows, as npm run verify does.
import { writeFileSync } from "node:fs";
import { specialPoints } from "./table.ts";

const { rows, ...versions } = specialPoints();
const head = JSON.stringify(versions).slice(0, -1);
const lines = rows.map((row) => JSON.stringify(row)).join(",\n");
const file = new URL("../results/special.json", import.meta.url);
writeFileSync(file, `${head},"rows":[\n${lines}\n]}\n`);
