// Runs before anything else in `npm start` and its like, in plain JavaScript, so that an unsuitable
// runtime gets one clear sentence instead of a syntax error from the first TypeScript file.
const needed = 26;
const [major] = process.versions.node.split('.').map(Number);
if (major < needed) {
  console.error(
    [
      `Support Assistant needs Node.js ${needed} or newer; this is ${process.version}.`,
      'It is installed by `npm ci` as a development dependency. Either the install was not run,',
      'or its install scripts were off: run `npm ci --ignore-scripts=false`, then `npm start`.',
    ].join('\n'),
  );
  process.exit(1);
}
// What is compiled once need not be compiled at the next start: that halves the time until main.ts runs.
require('node:module').enableCompileCache();
