import { globSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from './machine.ts';
import { ShellWords } from './shell-words.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const BUILTINS = new Set(
  '. : [ alias bg break case cd command continue do done echo elif else esac eval exec exit export false fi for function getopts hash if in local printf pwd read readonly return set shift test then time times trap true type ulimit umask unset until wait while { } !'.split(
    ' ',
  ),
);

/** Programs that a shell script runs, by name or path: neither the shell's own words, nor functions, nor what is only known when it runs. */
export function commandsOfScript(script: string): string[] {
  const { commands, functions } = new ShellWords(script);
  return [...commands].filter((word) => /^[\w./+-]+$/.test(word) && !BUILTINS.has(word) && !functions.has(word)).sort();
}

/** Programs that our TypeScript starts by name. */
function commandsOfPrograms(): string[] {
  const files = ['services/**/*.ts', 'system/**/*.ts'].flatMap((pattern) => globSync(pattern, { cwd: root }));
  const sources = files.filter(
    (file) => !/node_modules|\.test\.ts$|^system\/(testing|supervisor)\/|fake-|test-|-worlds|harness|support|fixtures|hostile/.test(file),
  );
  const calls = /\b(?:spawn|execFile|exec|run|runToEnd|output|start)(?:\)|Sync)?\((?:\w+, )?'([a-z][a-z0-9_.-]+)',? ?[[a-z]/g;
  return sources.flatMap((file) => [...readFileSync(join(root, file), 'utf8').matchAll(calls)].map(([, name]) => name ?? ''));
}

/** What our scripts, units and programs call and the box does not have. */
export async function commandsOfBox(box: Machine): Promise<{ missing: string[]; count: number }> {
  const texts = (pattern: string) =>
    globSync(pattern, { cwd: root })
      .map((file) => join(root, file))
      .filter((file) => lstatSync(file).isFile())
      .map((file) => readFileSync(file, 'utf8'));
  const scripts = texts('overlays/{base,rpi}/**/*').filter((text) => /^#!\/bin\/(sh|bash)/.test(text));
  const units = [...texts('system/units/*.service'), ...texts('overlays/rpi/**/*.{service,conf}')];
  const started = units.flatMap((text) => [...text.matchAll(/^Exec\w+=[-+!@:]*(\/\S+)/gm)].map(([, path]) => path ?? ''));
  const wanted = [...new Set([...scripts.flatMap(commandsOfScript), ...started, ...commandsOfPrograms()])]
    .filter((name) => name !== '')
    .sort();
  const said = await box.sh('while read -r name; do command -v "$name" >/dev/null || echo "$name"; done', {
    input: `${wanted.join('\n')}\n`,
  });
  return { missing: said.split('\n').filter((name) => name !== ''), count: wanted.length };
}

/** What the initramfs' script calls and its archive does not have. */
export async function commandsOfInitramfs(box: Machine): Promise<string[]> {
  const wanted = commandsOfScript(readFileSync(join(root, 'image/initramfs/init'), 'utf8'));
  const names = await box.sh(
    `mkdir -p /run/ledge-tests/initrd && mount -t ext4 -o ro /dev/ledge/slot-a /mnt && file=/mnt/initrd.img
    node -e "
      const fs = require('fs'), zlib = require('zlib');
      let b = fs.readFileSync(process.argv[1]);
      if (b.readUInt32LE(0) === 0xfd2fb528) b = zlib.zstdDecompressSync(b);
      else if (b.readUInt16LE(0) === 0x8b1f) b = zlib.gunzipSync(b);
      for (let at = 0; b.toString('latin1', at, at + 6) === '070701'; ) {
        const field = (n) => parseInt(b.toString('latin1', at + 6 + 8 * n, at + 14 + 8 * n), 16);
        const [size, length] = [field(6), field(11)];
        const name = b.toString('utf8', at + 110, at + 109 + length);
        if (name === 'TRAILER!!!') break;
        console.log(name);
        at = ((at + 110 + length + 3) & ~3) + ((size + 3) & ~3);
      }" $file; umount /mnt`,
  );
  const there = new Set(names.split('\n').map((name) => name.replace(/^.*\//, '')));
  return wanted.map((name) => name.replace(/^.*\//, '')).filter((name) => !there.has(name));
}
