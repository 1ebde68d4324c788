import { expect, test } from 'vitest';
import { commandsOfScript } from './commands.ts';

test('commands of a script are those words that the shell would run', () => {
  const script = `#!/bin/sh
set -eu
# comment with rm
helper() { sync; }
name=$(cat /proc/x | tr -d ' \\n')
LC_ALL=C sort <"$file" | head -n 1 && touch done || rm -f "$(mktemp -u)"
if grep -q 'sed awk' /etc/x; then helper; else exec mount -t ext4 "$a"; fi
case $x in
  start | stop) find . -type f ;;
  *) exit 1 ;;
esac
cat <<'EOF'
nothing here is run
${'EOF'}
while read -r line; do [ -n "$line" ] || dd if=a of=b; done
`;
  expect(commandsOfScript(script)).toEqual(['cat', 'dd', 'find', 'grep', 'head', 'mktemp', 'mount', 'rm', 'sort', 'sync', 'touch', 'tr']);
});
