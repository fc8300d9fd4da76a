// Looks 1,000 packages up in an advisory file, over and over in one process; prints the median milliseconds once warm.
import { openAdvisoryFile } from '../src/advisories/index.ts';
import { median } from './measure.ts';

const [path = ''] = process.argv.slice(2);
const COUNT = 1_000;
const ROUNDS = 15;
const COLD = 6;
const file = openAdvisoryFile(path);

/** Packages as an image has them: half of a distribution, half of npm; about a third of them with advisories. */
const known: (readonly [string, string])[] = [];
const wanted = new Map([
  ['Debian:12', COUNT / 2],
  ['npm', COUNT / 2],
]);
for (const block of file.blocks('packages')) {
  for (const { key } of block.records()) {
    const [ecosystem = '', name = ''] = key.toString().split('\0');
    if (wanted.has(ecosystem)) known.push([ecosystem, name]);
  }
}
const questions = [...wanted].flatMap(([ecosystem, count]) => {
  const names = known.filter(([other]) => other === ecosystem).map(([, name]) => name);
  const step = Math.max(1, Math.floor(names.length / (count / 3)));
  return Array.from({ length: count }, (_, at): readonly [string, string] =>
    at % 3 === 0
      ? [ecosystem, names[Math.floor(at / 3) * step] ?? names[0] ?? '']
      : [ecosystem, `lib-without-advisories-${at}`],
  );
});

const durations: number[] = [];
let found = 0;
for (let round = 0; round < ROUNDS; round++) {
  found = 0;
  const started = performance.now();
  for (const [ecosystem, name] of questions) found += file.lookup(ecosystem, name).length;
  if (round >= COLD) durations.push(performance.now() - started);
}
file.close();
if (found < COUNT / 10) throw new Error('too few of the packages have advisories for a fair figure');
console.log(median(durations).toFixed(3));
