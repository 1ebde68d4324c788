/** Words after which a command stands as if at a beginning. */
const OPENERS = new Set(['then', 'do', 'else', 'elif', 'if', 'while', 'until', '!', '{', '}', 'exec', 'fi', 'done', 'esac']);

/**
 * Reads a POSIX shell script (XCU 2, as far as ours go) and collects the words that stand where a command stands, also inside `$(…)` and
 * double quotes. Functions are left in; the caller knows them as `functions`.
 */
export class ShellWords {
  readonly commands = new Set<string>();
  readonly functions = new Set<string>();
  readonly #text: string;
  #at = 0;
  readonly #hereDocuments: string[] = [];

  constructor(script: string) {
    this.#text = script;
    this.#list('');
  }

  /** Commands up to `end` (`)` for a substitution, nothing for the whole). */
  #list(end: string): void {
    let isCommand = true;
    let afterRedirection = false;
    /** `case … in` and `;;` are followed by patterns up to `)`. */
    const cases: ('word' | 'pattern' | 'body')[] = [];
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at);
      const next = this.#text.charAt(this.#at + 1);
      const inPattern = cases.at(-1) === 'pattern';
      if (char === '\n') {
        this.#at++;
        this.#skipHereDocuments();
        isCommand = true;
      } else if (/\s/.test(char)) this.#at++;
      else if (char === '\\' && next === '\n') this.#at += 2;
      else if (char === '#') this.#at = this.#endOfLine();
      else if (char === ')') {
        this.#at++;
        if (inPattern) cases[cases.length - 1] = 'body';
        else if (end === ')') return;
        isCommand = true;
      } else if (char === ';' && next === ';') {
        this.#at += 2;
        if (cases.length > 0) cases[cases.length - 1] = 'pattern';
      } else if (/[;&|(]/.test(char)) {
        this.#at++;
        if (char === '(' && !inPattern) this.#list(')');
        isCommand = true;
      } else if (/[<>]/.test(char)) afterRedirection = this.#redirection();
      else {
        const word = this.#word();
        if (afterRedirection) afterRedirection = false;
        else if (cases.at(-1) === 'word') {
          if (word === 'in') cases[cases.length - 1] = 'pattern';
        } else if (word === 'esac') {
          cases.pop();
          isCommand = false;
        } else if (!inPattern && isCommand) {
          if (word === 'case') cases.push('word');
          isCommand = this.#command(word);
        }
      }
    }
  }

  /** Takes a word in the place of a command; does a command still follow? */
  #command(word: string): boolean {
    if (OPENERS.has(word) || /^\w+=/.test(word)) return true;
    if (this.#text.startsWith('()', this.#at)) {
      this.functions.add(word);
      this.#at += 2;
      return true;
    }
    if (/^\d+$/.test(word) && /[<>]/.test(this.#text.charAt(this.#at))) return true;
    this.commands.add(word);
    return false;
  }

  /** One word as it stands, with `$` for what is put in while it runs. */
  #word(): string {
    let word = '';
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at);
      if (/[\s;&|<>()]/.test(char)) break;
      if (char === "'") {
        const close = this.#text.indexOf("'", this.#at + 1);
        word += this.#text.slice(this.#at + 1, close);
        this.#at = close + 1;
      } else if (char === '"') {
        this.#at++;
        while (this.#text.charAt(this.#at) !== '"') word += this.#piece();
        this.#at++;
      } else word += this.#piece();
    }
    return word;
  }

  /** A character, an escaped one, or something with `$`. */
  #piece(): string {
    const char = this.#text.charAt(this.#at);
    if (char === '\\') {
      this.#at += 2;
      return this.#text.charAt(this.#at - 1);
    }
    if (char !== '$') {
      this.#at++;
      return char;
    }
    if (this.#text.startsWith('$((', this.#at)) this.#at = this.#text.indexOf('))', this.#at) + 2;
    else if (this.#text.startsWith('$(', this.#at)) {
      this.#at += 2;
      this.#list(')');
    } else if (this.#text.startsWith('${', this.#at)) this.#at = this.#text.indexOf('}', this.#at) + 1;
    else this.#at++;
    return '$';
  }

  /** Is the next word where it goes to? */
  #redirection(): boolean {
    const hereDocument = /^<<-?\s*'?"?(\w+)'?"?/.exec(this.#text.slice(this.#at));
    if (hereDocument) {
      this.#hereDocuments.push(hereDocument[1] ?? '');
      this.#at += hereDocument[0].length;
      return false;
    }
    const operator = /^(?:>>|<>|[<>]&|>\||[<>])(?:[\d-]+(?![\w]))?/.exec(this.#text.slice(this.#at))?.[0] ?? '';
    this.#at += operator.length;
    return !/[&][\d-]+$/.test(operator);
  }

  #skipHereDocuments(): void {
    for (const word of this.#hereDocuments.splice(0)) {
      while (this.#at < this.#text.length) {
        const line = this.#text.slice(this.#at, this.#endOfLine());
        this.#at += line.length + 1;
        if (line.trim() === word) break;
      }
    }
  }

  #endOfLine(): number {
    const end = this.#text.indexOf('\n', this.#at);
    return end < 0 ? this.#text.length : end;
  }
}
