/** The README of a new project. */
export const readme = (name: string): string => `# ${name}

A recurrent cell, its test, and a training script, with [Chronograd](https://www.npmjs.com/package/chronograd).

| command | what it does |
| --- | --- |
| \`npm install\` | brings the packages |
| \`npm test\` | checks the cell: its contract, gradients, windows, and what must not matter |
| \`npm run train\` | trains it to remember, in some seconds |
| \`npm run picture\` | draws what it records over six steps, with the cuts of truncation |

\`src/cell.ts\` is the place to begin: change the step, and \`npm test\` says what broke, with the op and the
time step. \`npx chronograd train --cell src/cell.ts --help\` says how to train the cell on a text, a CSV file
or data of your own.
`;
