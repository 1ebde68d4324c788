/** Curves and hash sizes that OpenSSH takes, by key type: RFC 5656 (ecdsa), RFC 8709 (ed25519), PROTOCOL.u2f (sk). */
const CURVES: Record<string, { curve: string; pointBytes: number }> = {
  'ecdsa-sha2-nistp256': { curve: 'nistp256', pointBytes: 65 },
  'ecdsa-sha2-nistp384': { curve: 'nistp384', pointBytes: 97 },
  'ecdsa-sha2-nistp521': { curve: 'nistp521', pointBytes: 133 },
  'sk-ecdsa-sha2-nistp256@openssh.com': { curve: 'nistp256', pointBytes: 65 },
};
const ED25519_BYTES = 32;
/** What OpenSSH 10 takes at least (RequiredRSASize 1024 by default; NIST SP 800-131A wants 2048). */
const MIN_RSA_BITS = 2048;
const MAX_LINE = 16 * 1024;

export const PRIVATE_KEY_FAULT = 'it is a private key; the public one is wanted, from the file that ends in .pub';
/** Does the text hold the secret half of a key pair? Then it must not be shown. */
export const isPrivateKey = (text: string): boolean => /PRIVATE KEY/.test(text);

/**
 * Reads one line of an OpenSSH public key (`ssh-ed25519 AAAA… comment`), down to the numbers in it. Options before the type are refused:
 * leaving them out would give the key more rights than its owner meant.
 * @returns the line as `authorized_keys` has it, or what is wrong with it
 */
export function parseSshKey(line: string): { line: string } | { fault: string } {
  if (isPrivateKey(line)) return { fault: PRIVATE_KEY_FAULT };
  const text = line.trim();
  if (text.length > MAX_LINE) return { fault: `it has ${text.length} characters` };
  const [type = '', base64 = '', ...comment] = text.split(/[ \t]+/);
  // what looks like no type at all may be a line of the secret half, and is not repeated
  const begins = /^(ssh|ecdsa|sk)-/.test(type) ? `it begins with ${JSON.stringify(type.slice(0, 40))}; ` : '';
  if (!isKnown(type)) return { fault: `${begins}a type such as ssh-ed25519 is wanted first` };
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return { fault: `after ${type} the key itself is missing, or is not in base64` };
  const blob = Buffer.from(base64, 'base64');
  const parts = fields(blob);
  if (!parts || blob.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, '')) return { fault: 'the key is cut off or damaged' };
  const inner = parts[0]?.toString('latin1');
  if (inner !== type) return { fault: `it says ${type}, but the key in it is of another type` };
  const fault = partsFault(type, parts.slice(1));
  if (fault) return { fault };
  const said = comment.join(' ').replaceAll(/\p{Cc}/gu, '');
  return { line: [type, base64, ...(said ? [said] : [])].join(' ') };
}

const isKnown = (type: string) =>
  type === 'ssh-ed25519' || type === 'ssh-rsa' || type === 'sk-ssh-ed25519@openssh.com' || Object.hasOwn(CURVES, type);

/** RFC 4251, 5: a key is a row of strings, each after its length in four bytes. */
function fields(blob: Buffer): Buffer[] | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; at < blob.length; ) {
    if (at + 4 > blob.length) return undefined;
    const end = at + 4 + blob.readUInt32BE(at);
    if (end > blob.length) return undefined;
    parts.push(blob.subarray(at + 4, end));
    at = end;
  }
  return parts;
}

function partsFault(type: string, parts: Buffer[]): string | undefined {
  const damaged = 'the key is cut off or damaged';
  const isSecurityKey = type.startsWith('sk-');
  const [first, second, third] = parts;
  if (type === 'ssh-rsa') {
    if (!first || !second || third) return damaged;
    const bits = second.length === 0 ? 0 : second.toString('hex').replace(/^0+/, '').length * 4;
    return bits < MIN_RSA_BITS - 3 ? `it is an RSA key of about ${bits} bits; ${MIN_RSA_BITS} or more are wanted` : undefined;
  }
  const curve = CURVES[type];
  if (curve) {
    if (first?.toString('latin1') !== curve.curve || second?.length !== curve.pointBytes || second[0] !== 4) return damaged;
    return parts.length === (isSecurityKey ? 3 : 2) ? undefined : damaged;
  }
  return first?.length === ED25519_BYTES && parts.length === (isSecurityKey ? 2 : 1) ? undefined : damaged;
}
