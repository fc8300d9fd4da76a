// Opens an advisory file and looks one package up, once, in this fresh process; prints the milliseconds it took.
import { openAdvisoryFile } from '../src/advisories/index.ts';

const [path = ''] = process.argv.slice(2);
const started = performance.now();
const file = openAdvisoryFile(path);
const found = file.lookup('npm', 'lodash');
const elapsed = performance.now() - started;
if (found.length === 0) throw new Error('lodash has no advisory in this file');
file.close();
console.log(elapsed.toFixed(3));
