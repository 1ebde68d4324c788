/** `node image/tests/vm/hold-box.ts <folder>`: what the whole suite runs once, before the files that need a started box. */
import { holdBox } from './held-box.ts';

const [folder] = process.argv.slice(2);
if (!folder) throw new Error('a folder is wanted');
await holdBox(folder);
