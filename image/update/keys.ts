import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheRoot } from '../cache.ts';
import { run } from '../run.ts';

/** What signs a bundle, and what the box checks it with; all PEM files. */
export interface SigningKeys {
  certificate: string;
  key: string;
  /** The certificate authority: goes into the image. */
  keyring: string;
  /** Made here for trying things out, and known to nobody else. */
  development: boolean;
}

const DAYS = 36_500;

/**
 * The keys of this builder: `EDGE_KEYS` names a folder with `bundle.cert.pem`, `bundle.key.pem` and `keyring.pem`; without it,
 * development keys are made once, outside the checkout. @throws Error when the folder lacks one of them
 */
export async function signingKeys(environment: NodeJS.ProcessEnv = process.env): Promise<SigningKeys> {
  const given = environment.EDGE_KEYS;
  const folder = given ?? join(cacheRoot(), 'development-keys');
  const keys = { certificate: join(folder, 'bundle.cert.pem'), key: join(folder, 'bundle.key.pem'), keyring: join(folder, 'keyring.pem') };
  const missing = Object.values(keys).filter((file) => !existsSync(file));
  if (missing.length === 0) return { ...keys, development: given === undefined };
  if (given) throw new Error(`EDGE_KEYS is ${given}, but these files are missing: ${missing.join(', ')}`);
  await makeDevelopmentKeys(folder, keys);
  return { ...keys, development: true };
}

/** A certificate authority, and a certificate of it for signing (RFC 5280 extended key usage: code signing). */
async function makeDevelopmentKeys(folder: string, keys: { certificate: string; key: string; keyring: string }): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const authorityKey = join(folder, 'authority.key.pem');
  const request = join(folder, 'bundle.csr');
  const extensions = join(folder, 'extensions');
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  writeFileSync(
    extensions,
    'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning,emailProtection\n',
  );
  await run('openssl', [
    'req',
    '-x509',
    ...curve,
    '-days',
    String(DAYS),
    '-subj',
    '/CN=Ledge development authority',
    '-keyout',
    authorityKey,
    '-out',
    keys.keyring,
  ]);
  await run('openssl', ['req', ...curve, '-subj', '/CN=Ledge development', '-keyout', keys.key, '-out', request]);
  await run('openssl', [
    ...['x509', '-req', '-in', request, '-CA', keys.keyring, '-CAkey', authorityKey, '-CAcreateserial'],
    ...['-days', String(DAYS), '-extfile', extensions, '-out', keys.certificate],
  ]);
}

/** A detached signature (CMS, PEM) of a file, which `openssl cms -verify -CAfile keyring.pem` checks. */
export async function sign(file: string, { certificate, key }: SigningKeys): Promise<void> {
  await run('openssl', [
    'cms',
    '-sign',
    '-binary',
    '-outform',
    'PEM',
    '-signer',
    certificate,
    '-inkey',
    key,
    '-in',
    file,
    '-out',
    `${file}.sig`,
  ]);
}
